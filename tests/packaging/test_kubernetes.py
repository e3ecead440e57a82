"""The Kubernetes examples: valid by the schemas, consistent in themselves, and true to the image and the program."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from corsproxy import __version__
from tests.packaging.files import KUBERNETES, ROOT, Document, documents, of_kind

FILES = sorted(set(KUBERNETES.glob("*.yaml")) - {KUBERNETES / "kustomization.yaml"})
# The oldest release with every field used, and the newest that the installed schemas know.
VERSIONS = ["1.30", kubernetes_validate.latest_version()]
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
# A custom resource of the Prometheus operator has no schema among Kubernetes' own; its test is below.
WITHOUT_SCHEMA = {"ServiceMonitor"}


def objects() -> list[Any]:
    """List every object of every file, each with an id that says what it is."""
    return [
        pytest.param(document, id=f"{path.stem}: {document['kind']} {document['metadata']['name']}")
        for path in FILES
        for document in documents(path)
    ]


def pods(path: Path) -> list[Document]:
    """Read the pod templates of a file."""
    return [deployment["spec"]["template"] for deployment in of_kind(path, "Deployment")]


def proxy_container(pod: Document) -> Document:
    """Find the container that runs corsproxy."""
    every = [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
    found: list[Document] = [item for item in every if item["name"] == "corsproxy"]
    assert len(found) == 1
    return found[0]


def seconds(text: str) -> float:
    """Read the one form of duration that the examples use."""
    assert text.endswith("s")
    return float(text.removesuffix("s"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", objects())
def test_kubernetes_schema(document: Document, version: str) -> None:
    """Every object is valid and has no unknown field."""
    if document["kind"] in WITHOUT_SCHEMA:
        with pytest.raises(kubernetes_validate.SchemaNotFoundError):
            kubernetes_validate.validate(document, version, strict=True)
        return
    kubernetes_validate.validate(document, version, strict=True)


def test_kubernetes_schema_judges() -> None:
    """The schema refuses a misspelt field."""
    document = of_kind(KUBERNETES / "standalone.yaml", "Deployment")[0]
    document["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSIONS[0], strict=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_security_context(path: Path) -> None:
    """The proxy runs unprivileged on a read-only root."""
    for pod in pods(path):
        of_pod = pod["spec"]["securityContext"]
        of_container = proxy_container(pod)["securityContext"]
        assert of_pod["runAsNonRoot"] is True
        assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert (of_pod | of_container)["runAsUser"] == 10001
        assert of_container["readOnlyRootFilesystem"] is True
        assert of_container["allowPrivilegeEscalation"] is False
        assert of_container["capabilities"] == {"drop": ["ALL"]}
        assert pod["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_probes(path: Path) -> None:
    """The probes ask the admin listener for the documented paths."""
    for pod in pods(path):
        container = proxy_container(pod)
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        probes = {name: container[name]["httpGet"] for name in PROBES}
        assert {name: probe["path"] for name, probe in probes.items()} == {
            "startupProbe": "/readyz",
            "readinessProbe": "/readyz",
            "livenessProbe": "/healthz",
        }
        assert {ports[probe["port"]] for probe in probes.values()} == {8081}
        assert "lifecycle" not in container, "the proxy waits by itself (shutdown.delay)"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_probes_do_not_flap(path: Path) -> None:
    """A container that is throttled for seconds is neither restarted nor taken out of service for one late answer."""
    for pod in pods(path):
        container = proxy_container(pod)
        assert all(container[name]["timeoutSeconds"] >= 3 for name in PROBES)
        assert container["readinessProbe"]["failureThreshold"] >= 2
        liveness = container["livenessProbe"]
        assert liveness["failureThreshold"] * liveness["periodSeconds"] >= 60
        assert "cpu" not in container["resources"]["limits"] or container["resources"]["limits"]["cpu"] == "1"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_ports_and_mount(path: Path) -> None:
    """Ports and mount are those of the image."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    workdir = re.findall(r"^WORKDIR (\S+)", dockerfile, re.MULTILINE)[-1]
    exposed = {int(port) for port in re.findall(r"^EXPOSE (.*)", dockerfile, re.MULTILINE)[0].split()}
    for pod in pods(path):
        container = proxy_container(pod)
        assert {port["containerPort"] for port in container["ports"]} == exposed
        [mount] = container["volumeMounts"]
        assert mount["mountPath"] == workdir
        assert "subPath" not in mount, "a mounted single file never sees an edit of its ConfigMap"
        volumes = {volume["name"]: volume["configMap"]["name"] for volume in pod["spec"]["volumes"]}
        assert volumes[mount["name"]] in {item["metadata"]["name"] for item in of_kind(path, "ConfigMap")}
        assert container["image"].endswith(f":{__version__}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_grace_period(path: Path) -> None:
    """The grace period is longer than the shutdown of the mounted file."""
    for config_map in of_kind(path, "ConfigMap"):
        shutdown = yaml.safe_load(config_map["data"]["corsproxy.yaml"])["shutdown"]
        for pod in pods(path):
            # Before a native sidecar is told to stop, the other containers have ended, whose sleep is the delay.
            sleeps = [
                item["lifecycle"]["preStop"]["sleep"]["seconds"]
                for item in pod["spec"]["containers"]
                if "lifecycle" in item
            ]
            delay = seconds(shutdown["delay"]) + sum(sleeps)
            assert delay >= 5
            assert delay + seconds(shutdown["drain"]) < pod["spec"]["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_selectors(path: Path) -> None:
    """Selectors find their pods and services their ports."""
    for deployment in of_kind(path, "Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
        ports = {
            port["name"] for item in [proxy_container(deployment["spec"]["template"])] for port in item.get("ports", ())
        }
        for service in of_kind(path, "Service"):
            assert service["spec"]["selector"].items() <= labels.items()
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
        for budget in of_kind(path, "PodDisruptionBudget"):
            assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_admin_apart(path: Path) -> None:
    """The service for clients does not reach the admin listener."""
    for service in of_kind(path, "Service"):
        targets = {port["targetPort"] for port in service["spec"]["ports"]}
        if service["metadata"]["labels"].get("app.kubernetes.io/component") == "admin":
            assert targets == {"admin"}
            assert service["spec"]["clusterIP"] == "None"
        else:
            assert targets == {"http"}


def test_autoscaler() -> None:
    """The autoscaler owns the number of replicas and has a request to measure against."""
    path = KUBERNETES / "standalone.yaml"
    [deployment] = of_kind(path, "Deployment")
    [autoscaler] = of_kind(path, "HorizontalPodAutoscaler")
    assert "replicas" not in deployment["spec"]
    assert autoscaler["spec"]["scaleTargetRef"] == {
        "apiVersion": deployment["apiVersion"],
        "kind": "Deployment",
        "name": deployment["metadata"]["name"],
    }
    assert proxy_container(deployment["spec"]["template"])["resources"]["requests"]["cpu"]
    assert autoscaler["spec"]["minReplicas"] >= 2, "one replica cannot be disrupted"


def test_service_monitor() -> None:
    """The service monitor finds the admin service and its port."""
    path = KUBERNETES / "standalone.yaml"
    [monitor] = of_kind(path, "ServiceMonitor")
    assert set(monitor) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(monitor["spec"]) == {"jobLabel", "selector", "endpoints"}
    selected = [
        service
        for service in of_kind(path, "Service")
        if monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    ]
    assert [service["metadata"]["name"] for service in selected] == ["corsproxy-admin"]
    assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} == {"admin"}
    assert {endpoint["path"] for endpoint in monitor["spec"]["endpoints"]} == {"/metrics"}
    # The alert rules and the dashboard begin with this job.
    assert selected[0]["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "corsproxy"


@pytest.mark.parametrize("name", ["sidecar", "native-sidecar"])
def test_sidecar_api_on_loopback(name: str) -> None:
    """The sidecar's API is reached through the proxy alone."""
    path = KUBERNETES / f"{name}.yaml"
    [pod] = pods(path)
    [api] = [item for item in pod["spec"]["containers"] if item["name"] == "api"]
    assert "ports" not in api
    assert any("127.0.0.1" in argument for argument in api["args"])
    [config_map] = of_kind(path, "ConfigMap")
    upstreams = yaml.safe_load(config_map["data"]["corsproxy.yaml"])["upstreams"]
    assert all(url.startswith("http://127.0.0.1:") for url in upstreams.values())


def test_native_sidecar() -> None:
    """The proxy is a sidecar in the orchestrator's own sense, and the API waits until the endpoints are updated."""
    [pod] = pods(KUBERNETES / "native-sidecar.yaml")
    [proxy] = pod["spec"]["initContainers"]
    assert (proxy["name"], proxy["restartPolicy"]) == ("corsproxy", "Always")
    [api] = pod["spec"]["containers"]
    assert api["lifecycle"]["preStop"]["sleep"]["seconds"] >= 5


def test_network_policy() -> None:
    """Clients reach the proxy, metrics are collected from the admin listener, and the upstreams' ports can be asked."""
    [policy] = of_kind(KUBERNETES / "network-policy.yaml", "NetworkPolicy")
    [deployment] = of_kind(KUBERNETES / "standalone.yaml", "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    clients, metrics = policy["spec"]["ingress"]
    assert [port["port"] for port in clients["ports"]] == [8080]
    assert [port["port"] for port in metrics["ports"]] == [8081]
    assert clients["from"] != metrics["from"]
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    [config_map] = of_kind(KUBERNETES / "standalone.yaml", "ConfigMap")
    upstreams = re.findall(r"http://[\w.-]+:(\d+)", config_map["data"]["corsproxy.yaml"])
    assert ports == {53, *map(int, upstreams)}
