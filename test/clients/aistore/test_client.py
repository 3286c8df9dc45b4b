import pytest
from conftest import ADMIN_NAME, AUTHN_URL, CLUSTER_URL, unique

from aistore.sdk import Client
from aistore.sdk.authn import AuthNClient
from aistore.sdk.authn.access_attr import AccessAttr
from aistore.sdk.authn.errors import AuthNError, ErrUserInvalidCredentials
from aistore.sdk.errors import AISError


def test_a_wrong_password_is_told_as_invalid_credentials():
    with pytest.raises(ErrUserInvalidCredentials, match="invalid credentials"):
        AuthNClient(AUTHN_URL).login(ADMIN_NAME, unique("wrong"))


def test_an_unknown_user_is_told_the_same():
    with pytest.raises(ErrUserInvalidCredentials, match="invalid credentials"):
        AuthNClient(AUTHN_URL).login(unique("nobody"), "pw")


def test_login_gives_a_token(admin):
    assert admin.client.token.count(".") == 2


@pytest.mark.parametrize("seconds", [60, 5 * 3600, 90 * 24 * 3600, 0])
def test_a_token_life_can_be_asked_for(new_role, new_user, seconds):
    password = unique("pw")
    user = new_user([new_role([AccessAttr.GET]).name], password)
    assert AuthNClient(AUTHN_URL).login(user.id, password, expires_in=seconds)


def test_a_token_life_under_a_minute_is_refused(new_user):
    user = new_user([], "pw")
    with pytest.raises(AuthNError, match="invalid requested expiry date"):
        AuthNClient(AUTHN_URL).login(user.id, "pw", expires_in=59)


def test_after_logout_the_very_next_cluster_call_is_refused(new_role, new_user):
    password = unique("pw")
    user = new_user([new_role([AccessAttr.ACCESS_SU]).name], password)
    authn = AuthNClient(AUTHN_URL)
    for _ in range(20):
        client = Client(CLUSTER_URL, token=authn.login(user.id, password))
        assert client.cluster().get_info().uuid
        authn.logout()
        assert authn.client.token is None
        with pytest.raises(AISError, match="revoked"):
            client.cluster().get_info()


def test_logging_in_again_within_the_second_of_a_logout_gives_a_token_that_works(new_role, new_user):
    user = new_user([new_role([AccessAttr.SHOW_CLUSTER]).name], "pw")
    authn = AuthNClient(AUTHN_URL)
    authn.login(user.id, "pw")
    authn.logout()
    client = Client(CLUSTER_URL, token=authn.login(user.id, "pw"))
    assert client.cluster().get_info().uuid


def test_a_bucket_is_not_made_without_a_token(registered):
    with pytest.raises(AISError, match="token required") as refused:
        Client(CLUSTER_URL).bucket(unique("bck")).create()
    assert refused.value.status_code == 401


def test_a_revoked_token_opens_nothing_on_the_service_either(admin):
    other = AuthNClient(AUTHN_URL, token=admin.client.token)
    admin.logout()
    with pytest.raises(AuthNError, match="revoked"):
        other.user_manager().list()
