"""`keras.mixed_precision` for scripts that set the policy 'float32': no precision is mixed here."""

from seqrnn.config import dtype_policy, set_dtype_policy
from seqrnn.dtype_policies import DTypePolicy
from seqrnn.errors import public_names

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__getattr__, __dir__ = public_names(__name__)
