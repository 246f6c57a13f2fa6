"""`kabao bench`: ratios measured in one run, in a data folder made for it and removed after."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from ruamel.yaml.error import MarkedYAMLError

from kabao.bench import CLASSES, HALVES, bench_evidence, bench_keys, bench_orders, bench_terms
from kabao.cli.running import run
from kabao.cli.terminal import CommandRefusedError, ExitCode, JsonOption, notes, out, print_secret

bench = App(name="bench")

Seconds = Annotated[int, Parameter(help="Seconds of each measurement.")]
Rounds = Annotated[int, Parameter(help="Measurements of each side; the median counts.")]
Connections = Annotated[int, Parameter(help="Connections that ask at the same time, on both sides.")]
Keys = Annotated[int, Parameter(help="How many card keys to import.")]


@bench.command(name="orders")
def orders_command(
    *, seconds: Seconds = 6, rounds: Rounds = 3, connections: Connections = 32, as_json: JsonOption = False
) -> ExitCode:
    """Place, pay and deliver orders over HTTP with durable commits, beside pgbench running the same statements.

    Exits 1 where the books do not agree afterwards.
    """

    async def work() -> ExitCode:
        measured = await bench_orders(seconds=seconds, rounds=rounds, connections=connections)
        if as_json:
            print_secret(msgspec.json.encode(measured).decode())
        else:
            out.print(
                f"ratio {measured.ratio}: {measured.http_orders_per_second} orders/s over HTTP, "
                f"{measured.pgbench_orders_per_second} orders/s by pgbench; "
                f"books {'agree' if measured.is_correct else 'DO NOT AGREE'}"
            )
        return ExitCode.DONE if measured.is_correct else ExitCode.NOT_OK

    return run(work)


@bench.command(name="import")
def import_command(*, keys: Keys = 500_000, as_json: JsonOption = False) -> ExitCode:
    """Import card keys (encrypt, dedupe, insert), beside a bare COPY of the same rows."""

    async def work() -> ExitCode:
        measured = await bench_keys(keys)
        if as_json:
            print_secret(msgspec.json.encode(measured).decode())
        else:
            out.print(
                f"ratio {measured['ratio']}: {measured['keys_per_second']} keys/s imported, "
                f"{measured['copy_rows_per_second']} rows/s by COPY"
            )
        return ExitCode.DONE

    return run(work)


@bench.command(name="decide")
def decide_command(
    file: Annotated[Path | None, Parameter(help="A rulebook; by default the one that comes with kabao.")] = None,
    *,
    as_json: JsonOption = False,
) -> int:
    """Decide cases by the compiled rulebook, beside the naive interpreter; every answer timed is compared first.

    Exits 1 where a ratio is below its bar, 2 where the file cannot be read.
    """
    from kabao.adjudication.commands import bench_command  # noqa: PLC0415  loads the engine only here

    said = bench_command(file, as_json=as_json, progress=lambda step: notes.print(step, markup=False))
    print_secret(said.text)
    return said.code


@bench.command(name="terms")
def terms_command(
    folder: Annotated[
        Path, Parameter(help="The labelled corpus: a folder with `development`, `test` and `blind`.")
    ] = Path("tests/terms"),
    *,
    as_json: JsonOption = False,
) -> ExitCode:
    """Hold the terms checker against its labelled corpus: precision and recall by class, and the time of a megabyte.

    Exits 1 where the test half is below a bar, 2 where the corpus cannot be read.
    """
    try:
        told = bench_terms(folder)
    except (OSError, msgspec.ValidationError, MarkedYAMLError) as error:
        notes.print(f"kabao: {error}", markup=False)
        return ExitCode.USAGE
    if as_json:
        print_secret(msgspec.json.encode(told).decode())
    else:
        for half in HALVES:
            shown = told[half]
            for kind in CLASSES:
                figures = shown[kind]
                out.print(f"{half} {kind}: precision {figures['precision']}, recall {figures['recall']}")
            out.print(f"{half}: {shown['look_alikes']} look-alikes, {shown['look_alikes_void']} of them called VOID")
        out.print(f"{told['seconds_per_megabyte']} s for a megabyte")
    return ExitCode.DONE if told["passed"] else ExitCode.NOT_OK


@bench.command(name="evidence")
def evidence_command(
    *,
    quick: Annotated[bool, Parameter(negative="", help="Fewer rows and smaller trees, to see that it works.")] = False,
    only: Annotated[str, Parameter(help="One part by its name, such as proofs; all of them otherwise.")] = "",
    as_json: JsonOption = False,
) -> ExitCode:
    """Sequence records into the public log, make proofs in a tree of ten million, and check what is handed out.

    Exits 1 where a figure is below its bar.
    """

    async def work() -> ExitCode:
        try:
            told = await bench_evidence(quick=quick, only=only, say=lambda step: notes.print(step, markup=False))
        except LookupError as error:
            raise CommandRefusedError(str(error)) from error
        if as_json:
            print_secret(msgspec.json.encode(told).decode())
        else:
            for name, figures in told["parts"].items():
                shown = ", ".join(f"{key} {value}" for key, value in figures.items() if key not in {"bars", "passed"})
                out.print(f"{name}: {'ok' if figures['passed'] else 'BELOW ITS BAR'}: {shown}", markup=False)
        return ExitCode.DONE if told["passed"] else ExitCode.NOT_OK

    return run(work)
