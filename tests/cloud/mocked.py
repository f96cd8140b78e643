"""Runs the program once and keeps what it declared."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

PROJECT: Final = "parley-test"
NUMBER: Final = "123456789"


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource, with the inputs that the provider would be sent."""

    kind: str
    name: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """A resource that is made once others are there: types and names of all."""

    of: str
    after: frozenset[str]


@dataclass(slots=True)
class Cloud:
    """All resources of one deployment."""

    resources: list[Resource] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)

    def of(self, kind: str) -> list[Resource]:
        """Return the resources whose type ends in `kind`."""
        return [each for each in self.resources if each.kind.endswith(kind)]

    def one(self, kind: str, name: str) -> Mapping[str, Any]:
        """Return the inputs of the only resource of a type and name."""
        (found,) = [each for each in self.of(kind) if each.name == name]
        return found.inputs


def declared() -> Cloud:
    """Run the program; it raises for an argument that no resource has."""
    import pulumi
    from pulumi.runtime.mocks import MockMonitor
    from pulumi.runtime.stack import (
        wait_for_rpcs,
    )

    from infra.cloud.parley_cloud.deployment import deploy
    from infra.cloud.parley_cloud.settings import Settings

    cloud = Cloud()

    class Mocks(pulumi.runtime.Mocks):  # type: ignore[misc] # no types outside `make cloud`
        def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
            cloud.resources.append(Resource(args.typ, args.name, args.inputs))
            return f"{args.name}-id", _outputs(args)

        def call(self, args: Any) -> dict[str, Any]:
            raise AssertionError(f"the program asks the cloud: {args.token}")

    class Monitor(MockMonitor):  # type: ignore[misc] # no types outside `make cloud`
        def RegisterResource(self, request: Any) -> Any:
            # URNs: urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME
            after = frozenset(urn.rpartition("$")[2] for urn in request.dependencies)
            cloud.orders.append(Order(f"{request.type}::{request.name}", after))
            return super().RegisterResource(request)

    async def run() -> None:
        mocks = Mocks()
        monitor = Monitor(mocks)
        pulumi.runtime.set_mocks(mocks, "parley", "test", monitor=monitor)
        deploy(
            Settings(
                project=PROJECT,
                project_number=NUMBER,
                region="europe-west1",
                domain="parley.example",
                live_domain="live.parley.example",
                billing_account="0000-0000",
                alert_email="operator@parley.example",
                monthly_budget_eur=500,
            )
        )
        await wait_for_rpcs()

    asyncio.run(run())
    return cloud


def _outputs(args: Any) -> dict[str, Any]:
    """Return a resource's state, with what only the cloud itself would know."""
    outputs = {"name": args.name, **args.inputs}
    if args.typ.endswith(":Account"):
        account = args.inputs["accountId"]
        outputs["email"] = f"{account}@{PROJECT}.iam.gserviceaccount.com"
        outputs["name"] = f"projects/{PROJECT}/serviceAccounts/{outputs['email']}"
    if args.typ.endswith(":Cluster"):
        endpoints = outputs["controlPlaneEndpointsConfig"]
        endpoints["dnsEndpointConfig"]["endpoint"] = "gke.example"
    if args.typ.endswith(":Address"):
        outputs["address"] = "192.0.2.1"
    if args.typ.endswith(":GlobalAddress"):
        outputs["address"] = "198.51.100.1"
    if re.search(r":IAMCustomRole$", args.typ):
        outputs["name"] = f"projects/{PROJECT}/roles/{args.inputs['roleId']}"
    return outputs
