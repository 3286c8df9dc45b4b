-- What the native API needs: answers to creations that are asked for twice, tokens in the order in which they were issued by
-- whatever they are filtered by, and the holders of a role in the order of their names.
--
-- Why it looks like this:
--   * A key of a creation is kept with the answer, in the transaction of the creation. The digest of the request is sealed,
--     since a password may have gone into it.
--   * Each index of tokens ends with the token's key, which grows: a page of a list starts where the last one ended, however
--     deep that is. tokens_by_user, which nothing reads, makes room.
--   * Users are found by role in the order of their names: names never change, and triggers keep the copy in step whoever
--     writes user_roles.
--
-- What it costs: five indexes built once, about 3 s for a million tokens; a token has two more index entries and one for each
-- role and cluster. A user has one more row for each role.

CREATE TABLE idempotency_keys (
  user_key      INTEGER NOT NULL,
  key           TEXT NOT NULL,
  sealed_digest BLOB NOT NULL,
  answer        TEXT NOT NULL,
  kept_at       INTEGER NOT NULL,
  PRIMARY KEY (user_key, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (kept_at);

DROP INDEX tokens_by_user;
CREATE INDEX tokens_of_subject ON tokens (subject);
CREATE INDEX tokens_of_key ON tokens (kid) WHERE kid IS NOT NULL;
CREATE INDEX tokens_for_every_cluster ON tokens (everywhere) WHERE everywhere = 1;
CREATE INDEX token_roles_newest ON token_roles (role_key, token_key);
CREATE INDEX token_clusters_newest ON token_clusters (cluster_id, token_key);

CREATE INDEX users_enabled ON users (name) WHERE disabled_at IS NULL;
CREATE INDEX users_disabled ON users (name) WHERE disabled_at IS NOT NULL;

CREATE TABLE role_holders (
  role_key  INTEGER NOT NULL,
  user_name TEXT NOT NULL,
  PRIMARY KEY (role_key, user_name)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO role_holders
SELECT ur.role_key, u.name FROM user_roles ur JOIN users u ON u.key = ur.user_key;

CREATE TRIGGER user_roles_given AFTER INSERT ON user_roles BEGIN
  INSERT OR IGNORE INTO role_holders SELECT new.role_key, name FROM users WHERE key = new.user_key;
END;
CREATE TRIGGER user_roles_taken AFTER DELETE ON user_roles BEGIN
  DELETE FROM role_holders WHERE role_key = old.role_key
    AND user_name = (SELECT name FROM users WHERE key = old.user_key)
    AND NOT EXISTS (SELECT 1 FROM user_roles WHERE user_key = old.user_key AND role_key = old.role_key);
END;
-- The rows of user_roles go after the user's own, by ON DELETE CASCADE, when the name is gone already.
CREATE TRIGGER users_deleted BEFORE DELETE ON users BEGIN
  DELETE FROM role_holders WHERE user_name = old.name
    AND role_key IN (SELECT role_key FROM user_roles WHERE user_key = old.key);
END;
