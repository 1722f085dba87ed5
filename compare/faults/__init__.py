"""The catalogue of faults: how people get backpropagation and update rules wrong.

Each is a change to something of the reference that is right. The audit plants them and shows that
each is caught, located and named; the diagnosis tries them to find out which one explains the
numbers of a network that disagrees.

They are laid out in tables: an owner in the reference, what is right, and how that goes wrong. The
changes are made of blocks, which stand in the files with ``changes`` in their names.
"""

from __future__ import annotations

from compare.faults.adadelta import ADADELTA
from compare.faults.adagrad import ADAGRAD
from compare.faults.adam import ADAM
from compare.faults.adamax import ADAMAX
from compare.faults.attention import ATTENTION
from compare.faults.clipping import ACCUMULATION, CLIPPING
from compare.faults.decay import DECAY
from compare.faults.fault import Fault
from compare.faults.first_weights import FIRST_WEIGHTS
from compare.faults.gru import GRU
from compare.faults.layers import LAYERS
from compare.faults.lstm import LSTM
from compare.faults.means import MOMENTS
from compare.faults.nadam_radam import NADAM_RADAM
from compare.faults.one_cycle import ONE_CYCLE
from compare.faults.plateau import PLATEAU
from compare.faults.recurrent import RECURRENT
from compare.faults.rmsprop import RMSPROP
from compare.faults.rules import RULES
from compare.faults.schedules import RATES
from compare.faults.sgd import GRADIENT_DESCENT
from compare.faults.signs import SIGNS
from compare.faults.training import TRAINING
from compare.faults.transformer import TRANSFORMER

UPDATES = (
    *RULES,
    *DECAY,
    *GRADIENT_DESCENT,
    *MOMENTS,
    *ADAM,
    *NADAM_RADAM,
    *RMSPROP,
    *ADAGRAD,
    *ADADELTA,
    *ADAMAX,
    *SIGNS,
)

SCHEDULES = (*RATES, *ONE_CYCLE, *PLATEAU)

SEQUENCES = (*RECURRENT, *LSTM, *GRU, *ATTENTION, *TRANSFORMER)

#: Faults of whole training runs, and of what they begin with.
WHOLE = (*CLIPPING, *ACCUMULATION, *TRAINING, *FIRST_WEIGHTS)

FAULTS: dict[str, Fault] = {
    fault.name: fault for fault in (*LAYERS, *SEQUENCES, *UPDATES, *SCHEDULES, *WHOLE)
}

__all__ = ["FAULTS", "SCHEDULES", "SEQUENCES", "UPDATES", "WHOLE", "Fault"]
