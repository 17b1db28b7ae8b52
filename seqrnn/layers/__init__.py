"""Layers: the pieces that models are made of."""

from seqrnn.errors import public_names
from seqrnn.layers.activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from seqrnn.layers.attention import AdditiveAttention, Attention
from seqrnn.layers.base import Layer
from seqrnn.layers.bidirectional import Bidirectional
from seqrnn.layers.conv import Conv1D
from seqrnn.layers.conv_lstm import ConvLSTM1D
from seqrnn.layers.conv_transpose import Conv1DTranspose
from seqrnn.layers.core import Activation, Dense, Identity, Input, InputLayer, Lambda, Masking
from seqrnn.layers.dropout import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
)
from seqrnn.layers.einsum_dense import EinsumDense
from seqrnn.layers.embedding import Embedding
from seqrnn.layers.encoding import CategoryEncoding, Discretization
from seqrnn.layers.group_normalization import GroupNormalization
from seqrnn.layers.gru import GRU, GRUCell
from seqrnn.layers.hashing import Hashing
from seqrnn.layers.input_spec import InputSpec
from seqrnn.layers.lookup import IntegerLookup, StringLookup
from seqrnn.layers.lstm import LSTM, LSTMCell
from seqrnn.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from seqrnn.layers.multi_head_attention import GroupedQueryAttention, MultiHeadAttention
from seqrnn.layers.normalization import BatchNormalization, LayerNormalization, Normalization
from seqrnn.layers.pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveMaxPooling1D,
    AveragePooling1D,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    MaxPooling1D,
)
from seqrnn.layers.reshaping import (
    Cropping1D,
    Flatten,
    Permute,
    RepeatVector,
    Reshape,
    UpSampling1D,
    ZeroPadding1D,
)
from seqrnn.layers.rnn import RNN
from seqrnn.layers.scale_normalization import RMSNormalization, UnitNormalization
from seqrnn.layers.separable_conv import DepthwiseConv1D, SeparableConv1D
from seqrnn.layers.serialization import deserialize, serialize
from seqrnn.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from seqrnn.layers.spectral_normalization import SpectralNormalization
from seqrnn.layers.stacked_cells import StackedRNNCells
from seqrnn.layers.text_vectorization import TextVectorization
from seqrnn.layers.wrappers import TimeDistributed, Wrapper

Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
SeparableConvolution1D = SeparableConv1D
GroupQueryAttention = GroupedQueryAttention
MaxPool1D, AvgPool1D = MaxPooling1D, AveragePooling1D
GlobalMaxPool1D, GlobalAvgPool1D = GlobalMaxPooling1D, GlobalAveragePooling1D

__getattr__, __dir__ = public_names(__name__)
