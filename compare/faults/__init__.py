"""The catalogue of faults: how people get backpropagation and update rules wrong.

Each is a change to something of the reference that is right. The audit plants them and shows that
each is caught, located and named; the diagnosis tries them to find out which one explains the
numbers of a network that disagrees.

They are laid out in tables: an owner in the reference, what is right, and how that goes wrong. The
changes are made of blocks, which stand in the files with ``changes`` in their names.
"""

from __future__ import annotations

from compare.faults.all_layers import LAYERS
from compare.faults.attention.attention import ATTENTION
from compare.faults.attention.transformer import TRANSFORMER
from compare.faults.fault import Fault
from compare.faults.first_weights import FIRST_WEIGHTS
from compare.faults.optim.adadelta import ADADELTA
from compare.faults.optim.adagrad import ADAGRAD
from compare.faults.optim.adam import ADAM
from compare.faults.optim.adamax import ADAMAX
from compare.faults.optim.clipping import ACCUMULATION, CLIPPING
from compare.faults.optim.decay import DECAY
from compare.faults.optim.means import MOMENTS
from compare.faults.optim.nadam_radam import NADAM_RADAM
from compare.faults.optim.rmsprop import RMSPROP
from compare.faults.optim.rules import RULES
from compare.faults.optim.schedulers.one_cycle import ONE_CYCLE
from compare.faults.optim.schedulers.plateau import PLATEAU
from compare.faults.optim.schedulers.rates import RATES
from compare.faults.optim.sgd import GRADIENT_DESCENT
from compare.faults.optim.signs import SIGNS
from compare.faults.recurrent.common import RECURRENT
from compare.faults.recurrent.gru import GRU
from compare.faults.recurrent.lstm import LSTM
from compare.faults.training import TRAINING

_ADAPTIVE = (*ADAM, *NADAM_RADAM, *RMSPROP, *ADAGRAD, *ADADELTA, *ADAMAX)
UPDATES = (*RULES, *DECAY, *GRADIENT_DESCENT, *MOMENTS, *_ADAPTIVE, *SIGNS)

SCHEDULES = (*RATES, *ONE_CYCLE, *PLATEAU)

SEQUENCES = (*RECURRENT, *LSTM, *GRU, *ATTENTION, *TRANSFORMER)

#: Faults of whole training runs, and of what they begin with.
WHOLE = (*CLIPPING, *ACCUMULATION, *TRAINING, *FIRST_WEIGHTS)

FAULTS: dict[str, Fault] = {
    fault.name: fault for fault in (*LAYERS, *SEQUENCES, *UPDATES, *SCHEDULES, *WHOLE)
}

__all__ = ["FAULTS", "SCHEDULES", "SEQUENCES", "UPDATES", "WHOLE", "Fault"]
