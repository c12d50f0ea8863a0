"""Helm renders the chart, and Kubernetes knows every field of what comes out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.deploy.shipped import DEPLOY, stages, unknown_settings

helm = pytest.importorskip("helm_python", reason="no Helm here (pip install helm-python-sdk)")
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="no schemas of Kubernetes here")

CHART = DEPLOY / "helm" / "runcard"
# The oldest that Chart.yaml allows, and a new one.
KUBERNETES = ("1.30", "1.34")
LARGE: dict[str, Any] = {
    "replicas": 3,
    "image": {"repository": "registry.test/runcard", "tag": "0.1.0", "pullSecrets": ["registry"]},
    "publicUrl": "https://runcard.test",
    "trustedProxies": ["10.42.0.0/16", "10.43.0.1"],
    "database": {"secret": "runcard-database"},
    "columns": {"secret": "runcard-columns"},
    "keys": {"secret": "runcard-keys"},
    "attachments": {"url": "s3://files/runcard", "endpoint": "https://s3.test", "secret": "runcard-store"},
    "settings": {"max_body_bytes": 67108864, "operators_by_email": True, "runs_envelope": "array"},
    "persistence": {"size": "20Gi", "storageClass": "fast"},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "host": "runcard.test",
        "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "110m"},
        "tlsSecret": "runcard-tls",
    },
    "serviceAccount": {"annotations": {"example.test/role": "runcard"}},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
}
VALUES = pytest.mark.parametrize("values", [{}, LARGE], ids=["one box", "large"])


def rendered(values: dict[str, Any]) -> dict[str, Any]:
    """What the chart makes, by kind."""
    return {one["kind"]: one for one in _documents(values)}


def _documents(values: dict[str, Any]) -> Iterator[Any]:
    for name, text in helm.Chart.load(CHART).render(values, name="line-1", namespace="test").items():
        if name.endswith(".yaml"):
            yield from filter(None, yaml.safe_load_all(text))


def container(values: dict[str, Any], kind: str = "StatefulSet") -> Any:
    [found] = rendered(values)[kind]["spec"]["template"]["spec"]["containers"]
    return found


def variables(values: dict[str, Any], kind: str = "StatefulSet") -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(values, kind)["env"]}


@VALUES
def test_helm_finds_nothing_to_mend(values: dict[str, Any]):
    assert helm.lint(CHART, values)["errors"] == []


@VALUES
@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field(values: dict[str, Any], version: str):
    for document in _documents(values):
        kubernetes_validate.validate(document, version, strict=True)


def test_one_box_is_a_server_with_a_volume():
    made = rendered({})
    assert set(made) == {"StatefulSet", "Service", "ServiceAccount"}
    assert made["StatefulSet"]["spec"]["replicas"] == 1
    assert variables({}) == {"RUNCARD_DATA_DIR": "/var/lib/runcard"}


def test_a_large_one_is_reached_by_its_name_and_gives_way_one_by_one():
    made = rendered(LARGE)
    kinds = {"StatefulSet", "Deployment", "Service", "ServiceAccount", "Ingress", "PodDisruptionBudget"}
    assert set(made) == kinds
    assert made["Ingress"]["spec"]["tls"] == [{"hosts": ["runcard.test"], "secretName": "runcard-tls"}]
    assert made["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert variables(LARGE)["RUNCARD_TRUSTED_PROXIES"] == "10.42.0.0/16,10.43.0.1"
    said = variables(LARGE)
    assert said["RUNCARD_MAX_BODY_BYTES"] == "67108864"  # Helm reads it as a floating number
    assert (said["RUNCARD_OPERATORS_BY_EMAIL"], said["RUNCARD_RUNS_ENVELOPE"]) == ("true", "array")


def test_services_find_their_pods():
    made = rendered(LARGE)
    labels = made["StatefulSet"]["spec"]["template"]["metadata"]["labels"].items()
    selectors = (
        made["Service"]["spec"]["selector"],
        made["StatefulSet"]["spec"]["selector"]["matchLabels"],
        made["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    )
    for selector in selectors:
        assert selector.items() <= labels
    assert made["StatefulSet"]["spec"]["serviceName"] == made["Service"]["metadata"]["name"]


@VALUES
def test_every_variable_is_a_setting(values: dict[str, Any]):
    assert unknown_settings(variables(values)) == set()


def test_a_worker_keeps_the_columns_and_gets_no_request():
    worker = rendered(LARGE)["Deployment"]["spec"]
    assert container(LARGE, "Deployment")["args"] == ["worker"]
    labels = worker["template"]["metadata"]["labels"]
    assert worker["selector"]["matchLabels"] == labels
    assert not rendered(LARGE)["Service"]["spec"]["selector"].items() <= labels.items()
    assert variables(LARGE, "Deployment").items() <= variables(LARGE).items()


KINDS = pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])


@KINDS
def test_secrets_are_files_where_the_variables_say(kind: str):
    pod = rendered(LARGE)[kind]["spec"]["template"]["spec"]
    mounts = {one["name"]: one["mountPath"] for one in container(LARGE, kind)["volumeMounts"]}
    files = {
        f"{mounts[volume['name']]}/{item['path']}"
        for volume in pod["volumes"]
        if "secret" in volume
        for item in volume["secret"]["items"]
    }
    assert files == {value for name, value in variables(LARGE, kind).items() if name.endswith("_FILE")}


@pytest.mark.parametrize(
    ("values", "kind"), [({}, "StatefulSet"), (LARGE, "StatefulSet"), (LARGE, "Deployment")]
)
def test_a_pod_may_do_nothing_that_it_need_not(values: dict[str, Any], kind: str):
    pod = rendered(values)[kind]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container(values, kind)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_pod_is_what_the_image_says():
    said = dict(stages(DEPLOY / "Containerfile")[-1])
    pod = rendered({})["StatefulSet"]["spec"]["template"]["spec"]
    assert container({})["args"] == json.loads(said["CMD"])
    assert container({})["ports"][0]["containerPort"] == int(said["EXPOSE"])
    assert said["USER"] == "{runAsUser}:{runAsGroup}".format(**pod["securityContext"])
    assert said["VOLUME"] in {one["mountPath"] for one in container({})["volumeMounts"]}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replicas": 2}, "database"),
        ({"columns": {"secret": "runcard-columns"}}, "database"),
        ({**LARGE, "keys": {"secret": ""}}, "keys"),
        ({**LARGE, "attachments": {"url": ""}}, "attachments"),
        ({"publicURL": "https://runcard.test"}, "publicURL"),
        ({"publicUrl": "runcard.test"}, "publicUrl"),
        ({"replicas": 0}, "replicas"),
        ({"settings": {"Activity-Days": 3}}, "Activity-Days"),
    ],
)
def test_values_that_make_no_installation_are_refused(values: dict[str, Any], named: str):
    with pytest.raises(helm.HelmError, match=named):
        rendered(values)
