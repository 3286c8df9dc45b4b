import pytest
from conftest import ALIAS, CLUSTER_URL, CLUSTER_UUID, unique

from aistore.sdk.authn.errors import ErrClusterAlreadyRegistered, ErrClusterNotFound


def test_list_shows_exactly_the_one_cluster(admin):
    clusters = admin.cluster_manager().list().clusters
    assert list(clusters) == [CLUSTER_UUID]
    assert clusters[CLUSTER_UUID].alias == ALIAS


def test_register_answers_what_was_sent(registered):
    assert registered.id == CLUSTER_UUID
    assert registered.alias == ALIAS
    assert registered.urls == [CLUSTER_URL]


def test_register_without_urls_is_refused_by_the_client(admin):
    with pytest.raises(ValueError):
        admin.cluster_manager().register(unique("x"), [])


def test_register_twice_is_told_as_already_registered(admin):
    with pytest.raises(ErrClusterAlreadyRegistered):
        admin.cluster_manager().register(unique("x"), [CLUSTER_URL])


def test_get_by_id_and_by_alias_is_the_same(admin):
    clusters = admin.cluster_manager()
    assert clusters.get(cluster_id=CLUSTER_UUID) == clusters.get(cluster_alias=ALIAS)


def test_an_unknown_cluster_is_told_as_not_found(admin):
    with pytest.raises(ErrClusterNotFound):
        admin.cluster_manager().get(cluster_alias=unique("x"))
    with pytest.raises(ErrClusterNotFound):
        admin.cluster_manager().delete(cluster_alias=unique("x"))


def test_update_changes_the_alias_and_keeps_the_urls(admin):
    clusters = admin.cluster_manager()
    renamed = clusters.update(CLUSTER_UUID, cluster_alias="renamed")
    assert (renamed.alias, renamed.urls) == ("renamed", [CLUSTER_URL])
    assert clusters.update(CLUSTER_UUID, cluster_alias=ALIAS).alias == ALIAS


def test_update_changes_the_urls_and_keeps_the_alias(admin):
    clusters = admin.cluster_manager()
    both = [CLUSTER_URL, CLUSTER_URL.replace("127.0.0.1", "localhost")]
    moved = clusters.update(CLUSTER_UUID, urls=both)
    assert (moved.alias, moved.urls) == (ALIAS, both)
    assert clusters.update(CLUSTER_UUID, urls=[CLUSTER_URL]).urls == [CLUSTER_URL]


def test_a_removed_cluster_is_gone_and_can_be_registered_again(admin):
    clusters = admin.cluster_manager()
    clusters.delete(cluster_alias=ALIAS)
    assert clusters.list().clusters == {}
    with pytest.raises(ErrClusterNotFound):
        clusters.get(cluster_id=CLUSTER_UUID)
    assert clusters.register(ALIAS, [CLUSTER_URL]).id == CLUSTER_UUID


def test_the_roles_that_come_with_a_cluster(admin):
    roles = {role.name: role for role in admin.role_manager().list()}
    owner, buckets, guest = (roles[f"{kind}-{ALIAS}"] for kind in ("ClusterOwner", "BucketOwner", "Guest"))
    assert owner.clusters[0].perm == "18446744073709551615"
    assert buckets.clusters[0].perm == "831"
    assert guest.clusters[0].perm == "771"
    assert {role.clusters[0].id for role in (owner, buckets, guest)} == {CLUSTER_UUID}
