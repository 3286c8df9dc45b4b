import pytest
from conftest import ADMIN_NAME, AUTHN_URL, CLUSTER_URL, unique

from aistore.sdk import Client
from aistore.sdk.authn import AuthNClient
from aistore.sdk.authn.access_attr import AccessAttr
from aistore.sdk.authn.errors import (
    AuthNError,
    ErrUserAlreadyExists,
    ErrUserInvalidCredentials,
    ErrUserNotFound,
)
from aistore.sdk.errors import AISError


def log_in(user, password):
    return Client(CLUSTER_URL, token=AuthNClient(AUTHN_URL).login(user, password))


def test_a_created_user_may_do_what_the_role_says(new_role, new_user):
    user = new_user([new_role([AccessAttr.LIST_BUCKETS]).name], "pw-1")
    with pytest.raises(ErrUserInvalidCredentials):
        AuthNClient(AUTHN_URL).login(user.id, "pw-2")
    client = log_in(user.id, "pw-1")
    client.cluster().list_buckets()
    with pytest.raises(AISError) as refused:
        client.bucket(unique("bck")).create()
    assert refused.value.status_code == 403


def test_create_twice_is_told_as_already_exists(new_user):
    user = new_user([], "pw")
    with pytest.raises(ErrUserAlreadyExists):
        new_user([], "pw", name=user.id)


def test_get_and_list_show_what_was_created(admin, new_role, new_user):
    role = new_role([AccessAttr.GET])
    user = new_user([role.name], "pw")
    assert admin.user_manager().get(user.id) == user
    assert admin.user_manager().list()[user.id] == user
    assert user.roles[0] == role
    assert ADMIN_NAME in list(admin.user_manager().list())


def test_a_deleted_user_is_gone(admin, new_user):
    user = new_user([], "pw")
    admin.user_manager().delete(user.id)
    with pytest.raises(ErrUserNotFound):
        admin.user_manager().get(user.id)
    with pytest.raises(ErrUserNotFound):
        admin.user_manager().delete(user.id)
    with pytest.raises(ErrUserInvalidCredentials):
        AuthNClient(AUTHN_URL).login(user.id, "pw")


def test_an_update_that_changes_nothing_is_refused_by_the_client(admin, new_user):
    with pytest.raises(ValueError):
        admin.user_manager().update(new_user([], "pw").id)


def test_new_roles_keep_the_password_and_work_in_a_new_token(admin, new_role, new_user):
    user = new_user([new_role([AccessAttr.LIST_BUCKETS]).name], "pw")
    richer = new_role([AccessAttr.LIST_BUCKETS, AccessAttr.SHOW_CLUSTER])
    assert [role.name for role in admin.user_manager().update(user.id, roles=[richer.name]).roles] == [richer.name]
    assert log_in(user.id, "pw").cluster().get_info().uuid


def test_a_built_in_role_is_given_shown_and_kept_like_any_other(admin, new_role, new_user):
    role, auditor = new_role([AccessAttr.GET]), "gatehouse:auditor"
    user = new_user([role.name, auditor], "pw")
    assert [held.name for held in admin.user_manager().get(user.id).roles] == [role.name, auditor]
    assert auditor not in [listed.name for listed in admin.role_manager().list()]
    assert admin.role_manager().get(auditor).name == auditor
    held = AuthNClient(AUTHN_URL, token=AuthNClient(AUTHN_URL).login(user.id, "pw"))
    assert user.id in list(held.user_manager().list())
    with pytest.raises(AuthNError):
        held.user_manager().delete(user.id)


def test_a_new_password_keeps_the_roles(admin, new_role, new_user):
    role = new_role([AccessAttr.LIST_BUCKETS])
    user = new_user([role.name], "pw-old")
    assert admin.user_manager().update(user.id, password="pw-new").roles == user.roles
    with pytest.raises(ErrUserInvalidCredentials):
        AuthNClient(AUTHN_URL).login(user.id, "pw-old")
    log_in(user.id, "pw-new").cluster().list_buckets()


def test_roles_and_password_at_once(admin, new_role, new_user):
    user = new_user([new_role([AccessAttr.GET]).name], "pw-old")
    role = new_role([AccessAttr.SHOW_CLUSTER])
    admin.user_manager().update(user.id, password="pw-new", roles=[role.name])
    assert log_in(user.id, "pw-new").cluster().get_info().uuid


def test_a_user_may_change_the_own_password_and_nothing_else(new_role, new_user):
    user = new_user([new_role([AccessAttr.GET]).name], "pw-old")
    other = new_user([], "pw")
    own = AuthNClient(AUTHN_URL)
    own.login(user.id, "pw-old")
    assert own.user_manager().update(user.id, password="pw-new").id == user.id
    with pytest.raises(AuthNError) as refused:
        own.user_manager().update(other.id, password="pw-taken")
    assert refused.value.status_code == 401
    with pytest.raises(AuthNError):
        own.user_manager().list()


def test_a_long_password_works(new_user):
    password = "x" * 100
    user = new_user([], password)
    assert AuthNClient(AUTHN_URL).login(user.id, password)
    with pytest.raises(ErrUserInvalidCredentials):
        AuthNClient(AUTHN_URL).login(user.id, password[:72])
