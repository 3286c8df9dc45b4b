import pytest
from conftest import ALIAS, CLUSTER_UUID, unique

from aistore.sdk.authn.access_attr import AccessAttr
from aistore.sdk.authn.errors import ErrRoleAlreadyExists, ErrRoleNotFound


def test_get_is_what_was_created(admin, new_role):
    role = new_role([AccessAttr.GET, AccessAttr.PUT])
    assert admin.role_manager().get(role.name) == role
    assert role.clusters[0].id == CLUSTER_UUID
    assert role.clusters[0].perm == str(int(AccessAttr.GET | AccessAttr.PUT))


def test_list_holds_what_was_created(admin, new_role):
    role = new_role([AccessAttr.ACCESS_RO])
    assert role in list(admin.role_manager().list())


def test_create_twice_is_told_as_already_exists(new_role):
    role = new_role([AccessAttr.GET])
    with pytest.raises(ErrRoleAlreadyExists):
        new_role([AccessAttr.GET], name=role.name)


def test_a_deleted_role_is_gone(admin, new_role):
    role = new_role([AccessAttr.GET])
    admin.role_manager().delete(role.name)
    with pytest.raises(ErrRoleNotFound):
        admin.role_manager().get(role.name)
    with pytest.raises(ErrRoleNotFound):
        admin.role_manager().delete(role.name)
    admin.role_manager().delete(role.name, missing_ok=True)


def test_an_update_that_changes_nothing_is_refused_by_the_client(admin, new_role):
    with pytest.raises(ValueError):
        admin.role_manager().update(new_role([AccessAttr.GET]).name)


def test_an_unknown_role_cannot_be_updated(admin):
    with pytest.raises(ErrRoleNotFound):
        admin.role_manager().update(unique("x"), desc="new")


def test_update_the_description(admin, new_role):
    role = new_role([AccessAttr.GET])
    admin.role_manager().update(role.name, desc="new words")
    updated = admin.role_manager().get(role.name)
    assert (updated.desc, updated.clusters) == ("new words", role.clusters)


def test_update_adds_a_bucket_with_the_exact_permissions(admin, new_role):
    role = new_role([AccessAttr.GET])
    perms = [AccessAttr.PUT, AccessAttr.OBJ_DELETE]
    admin.role_manager().update(role.name, cluster_alias=ALIAS, perms=perms, bucket_name="some-bucket")
    updated = admin.role_manager().get(role.name)
    assert updated.buckets[-1].bck.name == "some-bucket"
    assert updated.buckets[-1].bck.namespace.uuid == CLUSTER_UUID
    assert updated.buckets[-1].perm == str(sum(perm.value for perm in perms))


def test_update_replaces_the_permissions_on_the_cluster(admin, new_role):
    role = new_role([AccessAttr.GET])
    perms = [AccessAttr.LIST_BUCKETS, AccessAttr.SHOW_CLUSTER]
    admin.role_manager().update(role.name, cluster_alias=ALIAS, perms=perms)
    updated = admin.role_manager().get(role.name)
    assert updated.clusters[0].id == CLUSTER_UUID
    assert updated.clusters[0].perm == str(sum(perm.value for perm in perms))
