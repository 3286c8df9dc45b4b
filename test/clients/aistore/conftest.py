"""The unmodified AIStore SDK against Gatehouse and a stand-in cluster; run.ts starts both and says where they are."""

import os
import uuid

import pytest

from aistore.sdk import Client
from aistore.sdk.authn import AuthNClient

AUTHN_URL = os.environ["AIS_AUTHN_URL"]
CLUSTER_URL = os.environ["AIS_ENDPOINT"]
CLUSTER_UUID = os.environ["STAND_IN_UUID"]
CLUSTER_VERSION = os.environ["STAND_IN_VERSION"]
ADMIN_NAME = os.environ["AIS_AUTHN_SU_NAME"]
ADMIN_PASSWORD = os.environ["AIS_AUTHN_SU_PASS"]
ALIAS = "authn-test-cluster"


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def log_in_as_admin():
    client = AuthNClient(AUTHN_URL)
    client.login(ADMIN_NAME, ADMIN_PASSWORD)
    return client


@pytest.fixture(scope="session")
def registered():
    """The cluster under its usual alias, registered by the SDK as upstream's own tests do."""
    admin = log_in_as_admin()
    yield admin.cluster_manager().register(ALIAS, [CLUSTER_URL])
    admin.cluster_manager().delete(cluster_id=CLUSTER_UUID)


@pytest.fixture
def admin(registered):
    """An administrator who logged in after the registration, so that the token names the cluster."""
    return log_in_as_admin()


@pytest.fixture
def admin_ais(admin):
    return Client(CLUSTER_URL, token=admin.client.token)


@pytest.fixture
def bucket(admin_ais):
    made = admin_ais.bucket(unique("bck")).create()
    yield made
    admin_ais.bucket(made.name).delete(missing_ok=True)


@pytest.fixture
def new_role(admin):
    """Makes roles and removes them afterwards."""
    roles = admin.role_manager()
    names = []

    def make(perms, bucket_name=None, name=None):
        name = name or unique("role")
        names.append(name)
        return roles.create(
            name=name,
            desc="made by a test",
            cluster_alias=ALIAS,
            perms=perms,
            bucket_name=bucket_name,
        )

    yield make
    for name in names:
        roles.delete(name=name, missing_ok=True)


@pytest.fixture
def new_user(admin):
    """Makes users and removes them afterwards."""
    users = admin.user_manager()
    names = []

    def make(roles, password, name=None):
        name = name or unique("user")
        names.append(name)
        return users.create(username=name, roles=roles, password=password)

    yield make
    for name in names:
        users.delete(username=name, missing_ok=True)


@pytest.fixture
def client_with(new_role, new_user):
    """A cluster client logged in as a fresh user who has just one role."""

    def make(perms, bucket_name=None):
        role = new_role(perms, bucket_name)
        password = unique("pw")
        user = new_user([role.name], password)
        token = AuthNClient(AUTHN_URL).login(user.id, password)
        return Client(CLUSTER_URL, token=token)

    return make
