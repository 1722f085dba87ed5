"""The command line: parse, call :mod:`compare`, render, exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from backproof import packages

packages.claim()

from compare.process.loading import loading  # noqa: E402 - found by what stands before

with loading():
    import typer

    from compare.base.errors import CannotCompare, UsageError
    from compare.cases.registry import CASES, DTYPES, Case, adapt, check_settings, find
    from compare.catalogue.table import CATALOGUE, lines
    from compare.command.run_command import (
        columns,
        note,
        progress,
        results,
        run_as_process,
        showing,
        tell,
        told,
        unread_is_no_error,
    )
    from compare.process.startup import settle

if TYPE_CHECKING:
    from compare.measure.tolerances import Tolerance
    from compare.results.checked import Row
    from compare.results.result import Result
    from compare.training.solo import Trained

app = typer.Typer(
    name="backproof",
    help="Prove a NumPy network's hand-derived gradients against PyTorch's autograd.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help and errors need not load rich, and all errors look the same
    add_completion=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from compare.base.versions import versions

        typer.echo(", ".join(f"{name} {number}" for name, number in versions().items()))
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show versions."),
    ] = False,
) -> None:
    """Prove a NumPy network's hand-derived gradients against PyTorch's autograd."""


CaseName = Annotated[str, typer.Option("--case", help="What to run; `cases` lists them.")]
Epochs = Annotated[int | None, typer.Option(help="Passes over the data.")]
Seed = Annotated[int | None, typer.Option(help="Of the first weights and the samples' order.")]
Dtype = Annotated[str | None, typer.Option(help="float32 or float64.")]
Lr = Annotated[float | None, typer.Option(help="Learning rate.")]
Hidden = Annotated[str | None, typer.Option(help="Widths of the hidden layers, such as 8 or 8,4.")]
Activation = Annotated[str | None, typer.Option(help="sigmoid, tanh, relu or identity.")]
BatchSize = Annotated[int | None, typer.Option(help="Samples per step.")]
Impl = Annotated[str, typer.Option(help="reference or torch.")]
Plot = Annotated[
    Path | None, typer.Option(metavar="FILE.png|svg", readable=False, help="Draw the curves.")
]


@app.command()
@told
def compare(
    case: Annotated[
        str, typer.Option("--case", help="What to run; `cases` lists them, `all` runs them all.")
    ] = "xor",
    epochs: Epochs = None,
    seed: Seed = None,
    dtype: Dtype = None,
    lr: Lr = None,
    hidden: Hidden = None,
    activation: Activation = None,
    batch_size: BatchSize = None,
    tolerance: Annotated[
        str | None, typer.Option(help="statistical (default), rigorous, or fixed.")
    ] = None,
    rtol: Annotated[float | None, typer.Option(help="Relative tolerance, with --atol.")] = None,
    atol: Annotated[float | None, typer.Option(help="Absolute tolerance, with --rtol.")] = None,
    lockstep_every: Annotated[
        int | None, typer.Option(help="Epochs between two lockstep checks; chosen if not given.")
    ] = None,
    json: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Write the report as JSON; - is stdout.")
    ] = None,
    plot: Plot = None,
) -> None:
    """Train both sides and compare every gradient and every step.

    Exit code: 0 agree, 1 disagree, 2 usage error, 3 could not compare, 4 nothing decidable.
    """
    from compare.measure.tolerances import make

    several = case == "all"
    if plot and (several or case in CATALOGUE):
        raise UsageError("--plot draws the training of one case; name it with --case")
    settings = {
        "epochs": epochs,
        "seed": seed,
        "dtype": dtype,
        "lr": lr,
        "hidden": _widths(hidden),
        "activation": activation,
        "batch_size": batch_size,
    }
    entries = list(CATALOGUE) if several else [case] if case in CATALOGUE else []
    if entries and not several and any(value is not None for value in settings.values()):
        raise UsageError(f"{case} is compared in all its variants; only --tolerance changes that")
    names = list(CASES) if several else [] if entries else [case]
    chosen = [adapt(find(name), **settings) for name in names]  # type: ignore[arg-type]
    _check_outputs(json, plot)
    limits = make(tolerance, rtol, atol)
    check_settings(lockstep_every=lockstep_every)
    shown = json != "-"
    found = [_compare(one, limits, lockstep_every, shown) for one in chosen]
    if several and shown:
        _summarise(found)
    if entries:
        found += _compare_entries(entries, limits, shown)
    if json is not None:
        _write_json(found, json, several)
    if plot:
        _plot(found[0], plot)
    from compare.results.many_results import exit_code

    raise typer.Exit(exit_code(found))


def _compare(case: Case, tolerance: Tolerance, lockstep_every: int | None, shown: bool) -> Result:
    """Compare one case, and show the report or tell why there is none."""
    from compare.results.many_results import NoReport
    from compare.training.session import run

    try:
        with progress(case.name, case.epochs) as advance:
            report = run(case, tolerance, lockstep_every, advance)
    except CannotCompare as error:
        tell(f"{case.name}: {error}")
        return NoReport(case, error)
    if shown:
        with showing():
            report.show(results())
    return report


def _compare_entries(names: list[str], tolerance: Tolerance, shown: bool) -> list[Row]:
    """Compare entries of the catalogue, and show them in one table."""
    from compare.catalogue.check_entries import check_all
    from compare.results.checked import entries
    from compare.results.console import draw

    with progress("catalogue", len(names)) as advance:
        done = iter(range(1, len(names) + 1))
        rows = check_all(names, tolerance, progress=lambda name: advance(next(done)))
    if shown:
        with showing():
            draw(entries(rows), results())
    return rows


def _summarise(found: list[Result]) -> None:
    from compare.results.console import draw
    from compare.results.many_results import summary

    with showing():
        draw(summary(found), results())


def _write_json(found: list[Result], target: str, several: bool) -> None:
    """Write all results as a list, or the single one by itself, if there is a report."""
    from compare.results.many_results import NoReport, to_json
    from compare.results.report import Report

    if several or not isinstance(found[0], Report | NoReport):
        text = to_json(found)
    elif isinstance(found[0], Report):
        text = found[0].to_json()
    else:
        return
    _write(text, target)


def _write(text: str, target: str) -> None:
    """Write a text to a file or, for -, to standard output."""
    from compare.base.files import write_whole

    if target != "-":
        write_whole(Path(target), lambda file: file.write(text.encode()))
        return
    with unread_is_no_error():
        typer.echo(text, nl=False)


def _plot(result: Result, path: Path) -> None:
    from compare.render.plot import plot_report
    from compare.results.report import Report

    if isinstance(result, Report):
        plot_report(result, path)


@app.command()
@told
def train(
    case: CaseName = "xor",
    impl: Impl = "reference",
    epochs: Epochs = None,
    seed: Seed = None,
    dtype: Dtype = None,
    lr: Lr = None,
    hidden: Hidden = None,
    activation: Activation = None,
    batch_size: BatchSize = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE.npz", readable=False, help="Save the weights, for predict."),
    ] = None,
    plot: Plot = None,
) -> None:
    """Train one side alone."""
    settled = adapt(
        find(case),
        epochs=epochs,
        seed=seed,
        dtype=dtype,
        lr=lr,
        hidden=_widths(hidden),
        activation=activation,
        batch_size=batch_size,
    )
    if save and save.suffix.lower() != ".npz":
        raise UsageError(f"cannot save to {save}: its name should end in .npz")
    _check_outputs(None, plot, save)
    trained = _train(settled, impl)
    from compare.command import predict
    from compare.results.sentences import count_epochs

    typer.echo(f"{impl}: {settled.name}, {count_epochs(settled.epochs)}, {trained.outcome}")
    for line in predict.known(settled, trained.side):
        typer.echo(line)
    if save:
        from compare.training.weight_files import save as save_weights

        save_weights(save, trained.side.state_dict())
        typer.echo(f"weights saved to {save}")
    if plot:
        from compare.render.plot import plot_training

        plot_training(trained, f"{settled.name} ({impl})", plot)


def _train(case: Case, implementation: str) -> Trained:
    from compare.training import solo

    with progress(case.name, case.epochs) as advance:
        return solo.train(case, implementation, advance)


@app.command(context_settings={"ignore_unknown_options": True})
@told
def predict(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            help="One number for each input, or a text to go on with; asked for if not given.",
            show_default=False,
        ),
    ] = None,
    case: CaseName = "xor",
    impl: Impl = "reference",
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz",
            readable=False,  # compare.training.weight_files tells why not
            help="Weights saved by train; trained anew if not given.",
        ),
    ] = None,
    epochs: Epochs = None,
    seed: Seed = None,
    dtype: Dtype = None,
    hidden: Hidden = None,
    activation: Activation = None,
) -> None:
    """Show what a trained network answers."""
    from compare.command import predict

    settled = adapt(
        find(case),
        epochs=epochs,
        seed=seed,
        dtype=dtype,
        hidden=_widths(hidden),
        activation=activation,
    )
    if weights and not (epochs is None and seed is None):
        raise UsageError("--epochs and --seed are for training, and with --weights there is none")
    row = predict.parse(settled, inputs) if inputs else None
    side = predict.load(settled, impl, weights) if weights else _train(settled, impl).side
    settle()
    if row is not None:
        typer.echo(predict.answer(settled, side, row))
    else:
        predict.dialogue(settled, side)


@app.command()
@told
def check(
    file: Annotated[
        str, typer.Argument(metavar="FILE[:FUNCTION]", help="The function is `check` if not named.")
    ],
    timeout: Annotated[float, typer.Option(help="Seconds after which to give up.")] = 300.0,
    seed: Annotated[int | None, typer.Option(help="Of the drawn weights.")] = None,
    draws: Annotated[
        int | None,
        typer.Option(help="At how many drawn weights to compare as well; 1 if not given."),
    ] = None,
    tolerance: Annotated[str | None, typer.Option(help="statistical (default) or fixed.")] = None,
    rtol: Annotated[float | None, typer.Option(help="Relative tolerance, with --atol.")] = None,
    atol: Annotated[float | None, typer.Option(help="Absolute tolerance, with --rtol.")] = None,
    json: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Write the report as JSON; - is stdout.")
    ] = None,
) -> None:
    """Check a network of your own: its gradients against PyTorch's, or its own loss's.

    The file has a function that returns the arguments of `crosscheck`; `init` writes one.
    Exit code: 0 agree, 1 disagree, 2 usage error, 3 could not compare, 4 nothing decidable.
    """
    from compare.own.child_process.mailbox import Request
    from compare.own.child_process.parent import check_apart
    from compare.own.parse_target import Target

    target = Target.parse(file)
    _check_outputs(json, None)
    options = {"seed": seed, "draws": draws, "tolerance": tolerance, "rtol": rtol, "atol": atol}
    request = Request(
        file=str(target.path),
        function=target.function,
        timeout=timeout,
        options=options,
        columns=columns(),
        terminal=sys.stdout.isatty(),
        encoding=sys.stdout.encoding or "utf-8",
        watched=sys.stderr.isatty(),
    )
    with progress(target.path.name, 100) as advance:
        answer = check_apart(request, advance)
    if json != "-":
        with unread_is_no_error():
            sys.stdout.write(answer.text)
    if json is not None:
        _write(answer.json, json)
    if answer.note:
        note(answer.note)
    raise typer.Exit(answer.code)


@app.command()
@told
def init(
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it; standard output if not given.")
    ] = None,
    style: Annotated[
        str, typer.Option(help="How the network is written: class, functions or script.")
    ] = "class",
) -> None:
    """Write a file to start from, for `check`. It works as it is."""
    from compare.own.templates import start

    text = start(style, file)
    if file is None:
        typer.echo(text, nl=False)
        return
    from compare.base.files import require_writable, write_whole

    if file.exists():
        raise UsageError(f"{file} is there already; name another file, or remove it")
    require_writable(file)
    write_whole(file, lambda opened: opened.write(text.encode()))
    typer.echo(f"{file} written; run: backproof check {file}")


@app.command()
@told
def audit(
    case: Annotated[
        str, typer.Option("--case", help="Where to plant; `cases` lists it, `all` is everywhere.")
    ] = "all",
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float64",
    json: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Write the matrix as JSON; - is stdout.")
    ] = None,
) -> None:
    """Plant every known fault in the reference: is each detected, located and named?

    Exit code: 0 all are, 1 some are not, 2 usage error, 3 could not compare, 4 none was planted.
    """
    if dtype not in DTYPES:
        raise UsageError(f"dtype is {dtype!r}, but should be one of {', '.join(DTYPES)}")
    _check_outputs(json, None)
    from compare.audit.run import NAMES
    from compare.audit.run import audit as run
    from compare.render.audit import document, to_dict
    from compare.results.console import draw
    from compare.results.json import as_json

    if case != "all" and case not in NAMES:
        find(case)
    names = list(NAMES) if case == "all" else [case]
    with progress("audit", len(names)) as advance:
        found = run(names, dtype, advance)
    if json != "-":
        with showing():
            draw(document(found), results())
    if json is not None:
        _write(as_json(to_dict(found)), json)
    raise typer.Exit(found.exit_code)


@app.command()
@told
def cases() -> None:
    """List the cases, and all that is compared one by one: layers, losses, update rules."""
    width = max(map(len, CASES))
    for case in CASES.values():
        typer.echo(f"{case.name:<{width}}  {case.summary} ({case.epochs} epochs, lr {case.lr:g})")
    typer.echo()
    for line in lines():
        typer.echo(line)


def _widths(hidden: str | None) -> tuple[int, ...] | None:
    """The numbers in a list such as ``8,4``."""
    if hidden is None:
        return None
    try:
        return tuple(int(width) for width in hidden.split(","))
    except ValueError as error:
        raise UsageError(f"hidden is {hidden!r}, but should be numbers such as 8 or 8,4") from error


def _check_outputs(json: str | None, plot: Path | None, save: Path | None = None) -> None:
    """Find out before the work whether its results can be written."""
    from compare.base.files import require_writable

    if json not in (None, "-"):
        require_writable(Path(json))
    if save:
        require_writable(save)
    if plot:
        from compare.render.plot import require_plottable

        require_plottable(plot)


def main() -> None:
    """Run the command line."""
    run_as_process(app)
