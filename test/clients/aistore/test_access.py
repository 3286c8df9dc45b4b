"""One permission at a time: with it the call works, with every other one it is 403."""

import pytest
from conftest import unique

from aistore.sdk.authn.access_attr import AccessAttr
from aistore.sdk.errors import AISError

SINGLE = [flag for flag in AccessAttr if flag.value & (flag.value - 1) == 0]


def others(wanted):
    return [flag for flag in SINGLE if flag not in (wanted, AccessAttr.ADMIN)]


def use(client, bucket, perm):
    """The SDK call that needs just that permission."""
    bck = client.bucket(bucket.name)
    obj = bck.object("obj")
    calls = {
        AccessAttr.GET: lambda: obj.get_reader().read_all(),
        AccessAttr.OBJ_HEAD: obj.head,
        AccessAttr.PUT: lambda: bck.object("new").get_writer().put_content(b"new"),
        AccessAttr.APPEND: lambda: bck.object("appended").get_writer().append_content(b"more"),
        AccessAttr.OBJ_DELETE: obj.delete,
        AccessAttr.PROMOTE: lambda: obj.promote("/tmp/nothing"),
        AccessAttr.OBJ_UPDATE: lambda: obj.get_writer().set_custom_props({"key": "value"}),
        AccessAttr.BCK_HEAD: bck.head,
        AccessAttr.OBJ_LIST: bck.list_objects,
        AccessAttr.LIST_BUCKETS: client.cluster().list_buckets,
        AccessAttr.SHOW_CLUSTER: client.cluster().get_info,
        AccessAttr.CREATE_BUCKET: client.bucket(unique("made")).create,
        AccessAttr.DESTROY_BUCKET: bck.delete,
        AccessAttr.MOVE_BUCKET: lambda: bck.rename(unique("moved")),
    }
    return calls[perm]()


def is_refused(call):
    try:
        call()
    except AISError as refused:
        assert refused.status_code == 403, refused
        return True
    return False


BY_CALL = [
    AccessAttr.GET,
    AccessAttr.OBJ_HEAD,
    AccessAttr.PUT,
    AccessAttr.APPEND,
    AccessAttr.OBJ_DELETE,
    AccessAttr.PROMOTE,
    AccessAttr.OBJ_UPDATE,
    AccessAttr.BCK_HEAD,
    AccessAttr.OBJ_LIST,
    AccessAttr.LIST_BUCKETS,
    AccessAttr.SHOW_CLUSTER,
    AccessAttr.CREATE_BUCKET,
    AccessAttr.DESTROY_BUCKET,
    AccessAttr.MOVE_BUCKET,
]


@pytest.fixture
def filled(bucket):
    bucket.object("obj").get_writer().put_content(b"content")
    return bucket


@pytest.mark.parametrize("perm", BY_CALL, ids=lambda perm: perm.name)
def test_permission(client_with, filled, perm):
    without, just = client_with(others(perm)), client_with([perm])
    assert is_refused(lambda: use(without, filled, perm))
    use(just, filled, perm)


def allowed(client, bucket, perms):
    return {perm for perm in perms if not is_refused(lambda: use(client, bucket, perm))}


READS = {AccessAttr.GET, AccessAttr.OBJ_HEAD, AccessAttr.BCK_HEAD, AccessAttr.OBJ_LIST}
WRITES = {AccessAttr.PUT, AccessAttr.APPEND, AccessAttr.OBJ_DELETE}
SHOWS = {AccessAttr.LIST_BUCKETS, AccessAttr.SHOW_CLUSTER}
CHANGES = {AccessAttr.CREATE_BUCKET, AccessAttr.DESTROY_BUCKET, AccessAttr.MOVE_BUCKET}
# Reads first and what removes the object or the bucket last.
IN_ORDER = sorted(READS | WRITES | SHOWS | CHANGES, key=lambda perm: (perm in WRITES | CHANGES, perm.value))


def test_bucket_read_only(client_with, filled):
    client = client_with([AccessAttr.ACCESS_RO], filled.name)
    assert allowed(client, filled, IN_ORDER) == READS


def test_bucket_read_write(client_with, filled):
    client = client_with([AccessAttr.ACCESS_RW], filled.name)
    assert allowed(client, filled, IN_ORDER) == READS | WRITES


def test_a_bucket_role_says_nothing_of_other_buckets(client_with, admin_ais, filled):
    client = client_with([AccessAttr.ACCESS_RW], unique("elsewhere"))
    assert allowed(client, filled, READS | WRITES) == set()


def test_cluster_read_only(client_with, filled):
    client = client_with([AccessAttr.CLUSTER_ACCESS_RO])
    assert allowed(client, filled, IN_ORDER) == SHOWS


@pytest.mark.parametrize("perm", sorted(CHANGES), ids=lambda perm: perm.name)
def test_cluster_read_write(client_with, filled, perm):
    client = client_with([AccessAttr.CLUSTER_ACCESS_RW])
    assert allowed(client, filled, [*READS, *WRITES]) == set()
    assert allowed(client, filled, [*SHOWS, perm]) == SHOWS | {perm}


def test_two_roles_give_what_either_gives(new_role, new_user, filled):
    from conftest import AUTHN_URL, CLUSTER_URL

    from aistore.sdk import Client
    from aistore.sdk.authn import AuthNClient

    roles = [new_role([AccessAttr.GET]).name, new_role([AccessAttr.BCK_HEAD]).name]
    user = new_user(roles, "pw")
    client = Client(CLUSTER_URL, token=AuthNClient(AUTHN_URL).login(user.id, "pw"))
    assert allowed(client, filled, IN_ORDER) == {AccessAttr.GET, AccessAttr.BCK_HEAD}


def test_read_write_of_the_newest_sdk_has_no_promote(client_with, filled):
    client = client_with([perm for perm in READS | WRITES])
    assert is_refused(lambda: use(client, filled, AccessAttr.PROMOTE))
