"""The command line: parse, call :mod:`compare`, render, exit code."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import typer

from compare.cases import CASES, Case, adapt, find
from compare.environment import versions
from compare.errors import BackproofError, CannotCompare, UsageError

if TYPE_CHECKING:
    from compare.report import Report
    from compare.solo import Trained
    from compare.tolerances import Tolerance

app = typer.Typer(
    name="backproof",
    help="Prove a NumPy network's hand-derived gradients against PyTorch's autograd.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

P = ParamSpec("P")
R = TypeVar("R")

INTERRUPTED = 130

#: Exit codes of several cases, the one that is told first.
GRAVITY = (1, 3, 4, 0)


def _told(command: Callable[P, R]) -> Callable[P, R]:
    """Tell errors that a user can cause in one line, without a traceback."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except BackproofError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            typer.echo("Interrupted.", err=True)
            raise typer.Exit(INTERRUPTED) from error

    return wrapper


def _show_version(wanted: bool) -> None:
    if wanted:
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


CaseName = Annotated[str, typer.Option("--case", help="What to run; see the command cases.")]
Epochs = Annotated[int | None, typer.Option(help="Passes over the data.")]
Seed = Annotated[int | None, typer.Option(help="Of the first weights and the samples' order.")]
Dtype = Annotated[str | None, typer.Option(help="float32 or float64.")]
Lr = Annotated[float | None, typer.Option(help="Learning rate.")]
Hidden = Annotated[str | None, typer.Option(help="Widths of the hidden layers, such as 8 or 8,4.")]
Activation = Annotated[str | None, typer.Option(help="sigmoid, tanh, relu or identity.")]
BatchSize = Annotated[int | None, typer.Option(help="Samples per step.")]
Impl = Annotated[str, typer.Option(help="reference or torch.")]
Plot = Annotated[Path | None, typer.Option(metavar="FILE.png|svg", help="Draw the curves.")]


@app.command()
@_told
def compare(
    case: CaseName = "xor",
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
    json: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Write the report as JSON; - is stdout.")
    ] = None,
    plot: Plot = None,
) -> None:
    """Train both sides and compare every gradient and every step (--case all: every case).

    Exit code: 0 agree, 1 disagree, 2 usage, 3 could not compare, 4 nothing decidable.
    """
    from compare.tolerances import make

    if plot and case == "all":
        raise UsageError("--plot draws one case; name it with --case")
    cases = [
        adapt(
            one,
            epochs=epochs,
            seed=seed,
            dtype=dtype,
            lr=lr,
            hidden=_widths(hidden),
            activation=activation,
            batch_size=batch_size,
        )
        for one in (CASES.values() if case == "all" else [find(case)])
    ]
    _check_outputs(json, plot)
    limits = make(tolerance, rtol, atol)
    reports, codes = [], []
    for one in cases:
        try:
            reports.append(_compare(one, limits))
            codes.append(reports[-1].verdict.value)
        except CannotCompare as error:
            typer.echo(f"Error: {one.name}: {error}", err=True)
            codes.append(error.exit_code)
    _show(reports, json)
    if plot and reports:
        from compare.render.plot import plot_report

        plot_report(reports[0], plot)
    raise typer.Exit(min(codes, key=GRAVITY.index))


def _compare(case: Case, tolerance: Tolerance) -> Report:
    from compare.session import run

    with _progress(case.name, case.epochs) as advance:
        return run(case, tolerance, progress=advance)


def _show(reports: list[Report], json: str | None) -> None:
    """Print the reports, unless standard output is wanted for JSON."""
    from rich.console import Console

    from compare.render.console import show

    if json is not None:
        _write_json(reports, json)
    if json != "-":
        for report in reports:
            show(report, Console())


def _write_json(reports: list[Report], target: str) -> None:
    from compare.files import write_whole
    from compare.render.json import to_json

    text = to_json(reports if len(reports) != 1 else reports[0])
    if target == "-":
        typer.echo(text, nl=False)
    else:
        write_whole(Path(target), lambda file: file.write(text.encode()))


@app.command()
@_told
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
        Path | None, typer.Option(metavar="FILE.npz", help="Save the weights, for predict.")
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
    if save and save.suffix != ".npz":
        raise UsageError(f"cannot save to {save}: its name should end in .npz")
    _check_outputs(None, plot, save)
    trained = _train(settled, impl)
    from compare.render.words import losses

    typer.echo(f"{impl}: {settled.name}, {settled.epochs} epochs, {losses(trained.outcome)}")
    if save:
        from compare.weights import save as save_weights

        save_weights(save, trained.side.weights())
        typer.echo(f"weights saved to {save}")
    if plot:
        from compare.render.plot import plot_training

        plot_training(trained, f"{settled.name} ({impl})", plot)


def _train(case: Case, implementation: str) -> Trained:
    from compare import solo

    with _progress(case.name, case.epochs) as advance:
        return solo.train(case, implementation, advance)


@app.command(context_settings={"ignore_unknown_options": True})
@_told
def predict(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            help="One number for each input; asked for if not given.", show_default=False
        ),
    ] = None,
    case: CaseName = "xor",
    impl: Impl = "reference",
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE.npz", help="Weights saved by train; trained anew if not given."),
    ] = None,
    epochs: Epochs = None,
    seed: Seed = None,
    dtype: Dtype = None,
    hidden: Hidden = None,
    activation: Activation = None,
) -> None:
    """Show what a trained network answers."""
    from compare import ask

    settled = adapt(
        find(case),
        epochs=epochs,
        seed=seed,
        dtype=dtype,
        hidden=_widths(hidden),
        activation=activation,
    )
    row = ask.parse(settled, inputs) if inputs else None
    side = ask.load(settled, impl, weights) if weights else _train(settled, impl).side
    if row is not None:
        typer.echo(ask.answer(settled, side, row))
    else:
        ask.dialogue(settled, side)


@app.command()
@_told
def cases() -> None:
    """List the cases."""
    width = max(map(len, CASES))
    for case in CASES.values():
        typer.echo(f"{case.name:<{width}}  {case.summary} ({case.epochs} epochs, lr {case.lr:g})")


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
    from compare.files import require_writable

    if json not in (None, "-"):
        require_writable(Path(json))
    if save:
        require_writable(save)
    if plot:
        from compare.render.plot import require_plottable

        require_plottable(plot)


@contextmanager
def _progress(title: str, epochs: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while it is a terminal; gives the function that moves it."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=epochs)
        yield lambda epoch: bar.update(task, completed=epoch)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
