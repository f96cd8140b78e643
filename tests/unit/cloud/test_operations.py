"""The operations guide: no command that is not there, no number made up."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from spaces.adapters.firestore.costs import COSTS
from spaces.adapters.signed_tokens import Ed25519Signer
from spaces.domain.watch import WATCH_INTERVAL_S
from spaces_contract.runtime import HEARTBEAT_INTERVAL_S

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "infra" / "operations.md").read_text()
# What an operator has to have, beside what any machine has.
PROGRAMS = {"gcloud", "pulumi", "kubectl", "helm", "firebase", "docker"}
CLOUD_TOOLS = PROGRAMS | {"curl", "sed", "shred"}
LASTS_S = 1_800
# What clients of the guide's Space call: one host, one more speaker, five listeners.
CALLS = {
    "create_space": 1,
    "start_space": 1,
    "join_space, the host": 1,
    "join_space, to speak": 1,
    "join_space, to listen": 5,
    "open_whep": 9,  # seven hear and two talk, which costs the same
    "leave_space, a listener": 5,
    "leave_space, a speaker": 1,
    "end_space": 1,
    "task launch": 1,
    "task watchdog": LASTS_S // WATCH_INTERVAL_S,
}


def blocks() -> Iterator[tuple[str, list[str]]]:
    """Yield each block of commands: what it needs, and its lines."""
    for needs, text in re.findall(r"^ *```sh ?(\w*)\n(.*?)^ *```", GUIDE, re.M | re.S):
        yield needs, [line.strip() for line in text.splitlines() if line.strip()]


def test_each_command_is_checked_or_needs_an_account() -> None:
    """
    A block is of make's targets, of keys that are made below, or marked as cloud's.
    """
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))

    for needs, lines in blocks():
        assert needs in ("", "keys", "cloud")
        if needs == "":
            assert all(re.fullmatch(r"make [a-z-]+", line) for line in lines)
            assert {line.split()[1] for line in lines} <= targets
        if needs == "cloud":
            programs = {
                re.sub(r"^([A-Z]+=\S+ )+", "", line).split()[0] for line in lines
            }
            assert programs - {"infra/containers/build.sh"} <= CLOUD_TOOLS


def test_each_program_is_named_and_signed_in_before_it_is_used() -> None:
    """
    None is found missing half way, and none asks who one is.
    """
    before, _, _ = GUIDE.partition("## Deploy from zero")
    lines = [line for needs, lines in blocks() if needs == "cloud" for line in lines]
    first = {
        program: next(line for line in lines if line.split()[0] == program)
        for program in ("gcloud", "pulumi", "firebase")
    }

    assert {program for program in PROGRAMS if f"`{program}`" in before} == PROGRAMS
    assert first["gcloud"] == "gcloud auth login"
    assert first["firebase"] == "firebase login"
    assert first["pulumi"].startswith("pulumi login gs://")
    own = "gcloud auth application-default login"  # as whom Pulumi calls
    assert lines.index(own) < lines.index(first["pulumi"])


def test_its_commands_are_of_one_folder() -> None:
    """
    None leaves the repository's root, where the files are that the next one reads.
    """
    deploy = GUIDE.partition("## Deploy from zero")[2].partition("\n## ")[0]
    made: set[str] = set()
    for _, text in re.findall(r"^ *```sh ?(\w*)\n(.*?)^ *```", deploy, re.M | re.S):
        for line in text.splitlines():
            read = re.findall(r"--(?:data|from)-file=(?:[\w-]+=)?([\w.-]+)", line)
            made.update(re.findall(r"(?:-out|>) ([\w.-]+)", line))
            assert set(read) <= made, line
            if line.strip().startswith("shred"):
                gone = set(line.split()[2:])
                assert gone <= made
                made -= gone

    assert not re.search(r"^ *cd |&& cd ", GUIDE, re.MULTILINE)
    assert not made & {"grant.pem", "proof.pem", "admin-key", "turn-secret"}


def test_each_manifest_that_wants_filling_in_is_named() -> None:
    words = re.compile(r"\b(PROJECT|REGISTRY|DIGEST|BUCKET|KEY-ENCRYPTION-URL)\b")
    for path in sorted((ROOT / "infra" / "agones").glob("*.yaml")):
        if words.search(path.read_text()):
            assert f"`infra/agones/{path.name}`" in GUIDE, path


def test_each_file_that_it_names_is_there() -> None:
    """
    Paths of the repository, links of the guide, and buckets' and queues' names.
    """
    for path in re.findall(r"\binfra/[\w./-]+\w", GUIDE):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\(([^)#:]+)\)", GUIDE):
        assert (ROOT / "infra" / path).exists(), path


def test_no_step_is_missing() -> None:
    """
    Each setting of the stack is set, each secret gets its value, before it is used.
    """
    commands = [line for _, lines in blocks() for line in lines]
    text = "\n".join(commands)
    stack = (ROOT / "infra/cloud/Pulumi.yaml").read_text()
    settings = set(re.findall(r"^  parley:(\w+): (?!.*default)", stack, re.MULTILINE))
    permissions = (ROOT / "infra/cloud/parley_cloud/permissions.py").read_text()
    secrets = set(
        re.findall(
            r'^    [A-Z_]+ = "([\w-]+-keys?|webhooks|turn-secret)"', permissions, re.M
        )
    )
    secrets -= {"recording-keys"}
    fleet = (ROOT / "infra/agones/fleet.yaml").read_text()

    assert set(re.findall(r"config set parley:(\w+)", text)) == settings
    assert {f"parley-{name}" for name in secrets} == set(
        re.findall(r"secrets versions add ([\w-]+)", text)
    )
    for name, key in re.findall(
        r"secretKeyRef: {name: ([\w-]+), key: ([\w-]+)}", fleet
    ):
        assert f"create secret generic {name} --from-file={key}=" in text
    for word in ("REGISTRY", "PROJECT", "BUCKET", "KEY-ENCRYPTION-URL"):
        assert word in fleet
        assert f"`{word}`" in GUIDE


def test_the_keys_that_it_makes_are_good(tmp_path: Path) -> None:
    """
    Run as they stand, its commands make keys that the functions can sign with.
    """
    (lines,) = [lines for needs, lines in blocks() if needs == "keys"]

    done = subprocess.run(
        ["sh", "-euc", "\n".join(lines)],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    for name in ("grant", "proof"):
        private = (tmp_path / f"{name}.pem").read_text()
        public = (tmp_path / f"{name}.pub.pem").read_text()
        assert Ed25519Signer(private).public_key_pem.strip() == public.strip()
        assert (tmp_path / f"{name}.pem").stat().st_mode & 0o077 == 0
    assert len((tmp_path / "admin-key").read_text().strip()) >= 32


@pytest.mark.parametrize(
    ("row", "calls", "beats"),
    [("Firestore reads", 792, 360), ("Firestore writes", 21, 360)],
)
def test_the_cost_of_a_space_follows_from_the_table(
    row: str, calls: int, beats: int
) -> None:
    """
    Documents of the guide are those that calls are tested to read and write.
    """
    field = row.split()[1]
    counted = sum(n * len(getattr(COSTS[call], field)) for call, n in CALLS.items())
    (line,) = [line for line in GUIDE.splitlines() if line.startswith(f"| {row} |")]

    assert counted == calls
    assert beats == LASTS_S / HEARTBEAT_INTERVAL_S
    assert f"| {calls + beats:,} | {(calls + beats) * 1000:,} |" in line


def test_what_the_load_balancer_counts_follows_from_the_calls() -> None:
    """
    Calls of clients, rules of the policy, and a poll of room.json each second.
    """
    asked = sum(n for call, n in CALLS.items() if not call.startswith("task "))
    polled = CALLS["join_space, to listen"] * LASTS_S
    edge = (ROOT / "infra/cloud/parley_cloud/edge.py").read_text()
    rules = len(re.findall(r'\baction="', edge))
    feed = (ROOT / "infra/hosting/public/room/feed.js").read_text()

    assert f"{asked} calls | {asked} | {asked * 1000:,} |" in GUIDE
    assert f"| {polled:,} | {polled * 1000:,} |" in GUIDE
    assert "VISIBLE_MS = 1000" in feed
    assert f"one policy, {rules} rules" in GUIDE


def test_a_row_is_its_quantity_times_its_price() -> None:
    """
    Where both stand in the row; prices by the month are a thirtieth a day.
    """
    rows = re.findall(
        r"^\|.*\| ([\d,.]+)(?: \S+)*? \| \$([\d.]+) / ([\w, ]+) \| \$([\d.]+) \|$",
        GUIDE,
        re.MULTILINE,
    )
    units = {"million": 1_000_000, "100,000": 100_000, "h": 1, "GB": 1, "month": 30}

    assert len(rows) >= 12
    for quantity, price, unit, cost in rows:
        due = float(quantity.replace(",", "")) * float(price) / units[unit]
        assert float(cost) == pytest.approx(due, abs=0.0051), (quantity, price, unit)


def test_its_sums_are_right() -> None:
    """
    What a day costs is the sum of its rows.
    """
    table = re.findall(r"^\|.*\$([\d.]+)\*{0,2} \|$", GUIDE, re.MULTILINE)

    *rows, total = (round(float(cents) * 100) for cents in table)

    assert sum(rows) == total


def test_alerts_are_of_what_is_logged_and_have_run_books() -> None:
    """
    Each line that an alert counts is written somewhere; each alert has its page.
    """
    alerts = (ROOT / "infra/cloud/parley_cloud/alerts.py").read_text()
    source = "".join(
        path.read_text() for path in (ROOT / "functions" / "spaces").rglob("*.py")
    )
    counted = re.findall(r'jsonPayload\.\w+="([^"]+)"', alerts)
    named = re.findall(r'(?:name=|UNREACHABLE: Final = )"([A-Z][^"]+)"', alerts)

    fields = re.findall(r"jsonPayload\.(\w+)>=", alerts)

    assert (len(counted), len(fields)) == (4, 1)
    assert all(f'"{words}"' in source for words in (*counted, *fields))
    assert len(named) >= 7
    assert set(named) <= set(re.findall(r"^### (.+)$", GUIDE, re.MULTILINE))


def test_the_rules_become_a_resource_of_the_cluster() -> None:
    rules = "infra/observability/workers.rules.yaml"
    lines = [line for _, lines in blocks() for line in lines if rules in line]
    command = lines[0].removesuffix(" | kubectl apply -f -")
    shown = subprocess.run(  # noqa: S602 - our own guide's command, which has a pipe's quoting
        command, shell=True, cwd=ROOT, check=True, capture_output=True, text=True
    )
    resource = yaml.safe_load(shown.stdout)
    assert (resource["apiVersion"], resource["kind"]) == (
        "monitoring.googleapis.com/v1",
        "Rules",
    )
    assert resource["spec"] == yaml.safe_load((ROOT / rules).read_text())
