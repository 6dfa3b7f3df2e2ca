"""What is to be built, said once: observations, layers, memories, networks, optimisers, precisions, batches, weights.

Frozen dataclasses and NumPy. May be in here: anything that the algorithms, buffers and frameworks must agree on. May not:
a framework, a game, a run. Whoever writes a network needs this door only.
"""

from triptych.spec.attention import Attention as Attention
from triptych.spec.attention import VisualAttention as VisualAttention
from triptych.spec.layers import ACTIVATIONS as ACTIVATIONS
from triptych.spec.layers import INITIALISERS as INITIALISERS
from triptych.spec.layers import LAYERS as LAYERS
from triptych.spec.layers import Activation as Activation
from triptych.spec.layers import ActorCritic as ActorCritic
from triptych.spec.layers import Conv as Conv
from triptych.spec.layers import Dense as Dense
from triptych.spec.layers import Dueling as Dueling
from triptych.spec.layers import Flatten as Flatten
from triptych.spec.layers import FrameAndDifference as FrameAndDifference
from triptych.spec.layers import FrameDifference as FrameDifference
from triptych.spec.layers import Initialiser as Initialiser
from triptych.spec.layers import LayerSpec as LayerSpec
from triptych.spec.layers import Shape as Shape
from triptych.spec.memory import GRU as GRU
from triptych.spec.memory import LSTM as LSTM
from triptych.spec.memory import RNN as RNN
from triptych.spec.memory import Memory as Memory
from triptych.spec.memory import Stack as Stack
from triptych.spec.network import Layer as Layer
from triptych.spec.network import Network as Network
from triptych.spec.network import Placed as Placed
from triptych.spec.network import layer_names as layer_names
from triptych.spec.neural_map import NeuralMap as NeuralMap
from triptych.spec.observation import Observation as Observation
from triptych.spec.observation import Part as Part
from triptych.spec.observation import each as each
from triptych.spec.observation import first_of as first_of
from triptych.spec.observation import found_under as found_under
from triptych.spec.observation import parts_of as parts_of
from triptych.spec.observation import under as under
from triptych.spec.observation import whole_of as whole_of
from triptych.spec.optimiser import OPTIMISERS as OPTIMISERS
from triptych.spec.optimiser import Adam as Adam
from triptych.spec.optimiser import Optimiser as Optimiser
from triptych.spec.optimiser import RMSprop as RMSprop
from triptych.spec.precision import PRECISIONS as PRECISIONS
from triptych.spec.precision import Precision as Precision
from triptych.spec.precision import dtypes as dtypes
from triptych.spec.registry import KINDS as KINDS
from triptych.spec.registry import builder_of as builder_of
from triptych.spec.registry import register_layer as register_layer
from triptych.spec.registry import register_memory as register_memory
