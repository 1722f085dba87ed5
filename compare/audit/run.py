"""The audit as a whole: every fault in every exhibit, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from compare.audit.exhibits import Exhibit, exhibit_of_case, exhibits_of_entry
from compare.audit.modules import NAMES as MODULES
from compare.audit.modules import exhibits_of
from compare.audit.trial import Trial, trials
from compare.audit.workers import shared
from compare.cases.registry import CASES, adapt
from compare.catalogue.table import CATALOGUE
from compare.diagnosis.planting.places import sites
from compare.faults import FAULTS, Fault
from compare.measure.tolerances import make

#: All that faults are planted in.
NAMES = (*CASES, *CATALOGUE, *MODULES)

#: So many processes share the work.
PROCESSES = 2

#: Those that take longest come first, so that no process is left waiting for the other.
LONGEST = ("gpt", "lenet", "char-lstm", "TransformerEncoderLayer", "char-rnn", "autoencoder")


@dataclass(frozen=True)
class Audit:
    """What became of every fault.

    Attributes:
        dtype: of all arithmetic.
        names: of the cases and entries in which faults were planted.
        fitting: names of the faults that fit somewhere in them.
        trials: all that showed, in the order of the cases and entries.
    """

    dtype: str
    names: tuple[str, ...]
    fitting: tuple[str, ...]
    trials: tuple[Trial, ...]

    @property
    def complete(self) -> bool:
        """Whether every case and every entry took part."""
        return set(self.names) >= set(NAMES)

    @property
    def failures(self) -> tuple[Trial, ...]:
        """Those that were missed, mislocated or misnamed."""
        return tuple(trial for trial in self.trials if not trial.passed)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Faults that were shown nowhere: of all, or of those that fit."""
        shown = {trial.fault for trial in self.trials}
        wanted = FAULTS if self.complete else self.fitting
        return tuple(name for name in wanted if name not in shown)

    @property
    def exit_code(self) -> int:
        """1 on any failure, and on a fault that nothing shows; 4 if nothing was planted."""
        if self.failures or (self.complete and self.hidden):
            return 1
        return 0 if self.trials else 4

    def of(self, fault: str) -> tuple[Trial, ...]:
        """The trials of one fault."""
        return tuple(trial for trial in self.trials if trial.fault == fault)


def audit(
    names: Sequence[str],
    dtype: str = "float64",
    progress: Callable[[int], None] = lambda done: None,
    processes: int = PROCESSES,
) -> Audit:
    """Plant every fault in cases and entries of the catalogue.

    Args:
        names: of the cases and entries.
        dtype: of all arithmetic; schedules have float64 alone.
        progress: called with the number of those done.
        processes: how many share the work; a single case is audited in this one.
    """
    found: dict[str, tuple[list[str], list[Trial]]] = {}
    with closing(_results(names, dtype, min(processes, len(names)))) as results:
        for name, result in results:
            found[name] = result
            progress(len(found))
    fits = {fault for name in names for fault in found[name][0]}
    every = tuple(trial for name in names for trial in found[name][1])
    return Audit(dtype, tuple(names), tuple(name for name in FAULTS if name in fits), every)


def _results(
    names: Sequence[str], dtype: str, processes: int
) -> Generator[tuple[str, tuple[list[str], list[Trial]]]]:
    """What each case or entry gives, in any order."""
    ordered = sorted(
        names, key=lambda name: LONGEST.index(name) if name in LONGEST else len(LONGEST)
    )
    if processes < 2:
        for name in ordered:
            yield name, one(name, dtype)
        return
    yield from shared(partial(one, dtype=dtype), ordered, processes)


def one(
    name: str, dtype: str, faults: Sequence[Fault] | None = None
) -> tuple[list[str], list[Trial]]:
    """Plant every fault in one case or entry.

    Args:
        name: of the case or the entry.
        dtype: of all arithmetic.
        faults: which; None for the whole catalogue.

    Returns:
        The names of the faults that fit, and the trials of those that show.
    """
    fits: dict[str, None] = {}
    found: list[Trial] = []
    chosen = list(FAULTS.values() if faults is None else faults)
    for exhibit in exhibits(name, dtype):
        fits |= {fault.name: None for fault in chosen if sites(fault, exhibit.parts)}
        found += trials(exhibit, chosen)
    return list(fits), found


def exhibits(name: str, dtype: str) -> Iterator[Exhibit]:
    """A case, or each variant of an entry, beside PyTorch."""
    tolerance = make(None)
    if name in MODULES:
        yield from exhibits_of(name, dtype, tolerance)
    elif name in CASES:
        yield exhibit_of_case(adapt(CASES[name], dtype=dtype), tolerance)
    else:
        yield from exhibits_of_entry(CATALOGUE[name], dtype, tolerance)
