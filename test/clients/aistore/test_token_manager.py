import pytest
from conftest import AUTHN_URL, CLUSTER_URL

from aistore.sdk import Client
from aistore.sdk.authn import AuthNClient
from aistore.sdk.authn.access_attr import AccessAttr
from aistore.sdk.authn.errors import AuthNError
from aistore.sdk.errors import AISError


def test_a_revoked_token_is_refused_by_the_cluster_at_once(admin, new_role, new_user):
    user = new_user([new_role([AccessAttr.LIST_BUCKETS]).name], "pw")
    token = AuthNClient(AUTHN_URL).login(user.id, "pw")
    client = Client(CLUSTER_URL, token=token)
    client.cluster().list_buckets()
    admin.token_manager().revoke(token)
    with pytest.raises(AISError, match="revoked") as refused:
        client.cluster().list_buckets()
    assert refused.value.status_code == 401


def test_revoking_twice_is_no_error(admin, new_user):
    user = new_user([], "pw")
    token = AuthNClient(AUTHN_URL).login(user.id, "pw")
    admin.token_manager().revoke(token)
    admin.token_manager().revoke(token)


def test_revoking_one_token_leaves_the_others_of_the_user(admin, new_role, new_user):
    user = new_user([new_role([AccessAttr.LIST_BUCKETS]).name], "pw")
    one, other = (AuthNClient(AUTHN_URL).login(user.id, "pw") for _ in range(2))
    assert one != other
    admin.token_manager().revoke(one)
    Client(CLUSTER_URL, token=other).cluster().list_buckets()


def test_what_is_no_token_is_not_revoked(admin):
    with pytest.raises(AuthNError):
        admin.token_manager().revoke("junk")
    with pytest.raises(ValueError):
        admin.token_manager().revoke("")
