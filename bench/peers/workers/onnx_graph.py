"""An ONNX model of a stack of LSTM, GRU or RNN layers, for the runtimes that read one."""
import numpy as np
import onnx
from common import Arrays, Case
from onnx import TensorProto, helper, numpy_helper

# ONNX's name of the operator, PyTorch's number of each of its gates (i o f c; z r h), further attributes.
OPERATORS = {"lstm": ("LSTM", [0, 3, 1, 2], {}), "gru": ("GRU", [1, 0, 2], {"linear_before_reset": 1}),
             "rnn": ("RNN", [0], {})}
OPSET, IR_VERSION = 17, 8


def reorder(values: np.ndarray, gates: list[int]) -> np.ndarray:
    """[G H, ...] from PyTorch's order of gates to that of `gates`."""
    blocks = np.split(values, len(gates))
    return np.concatenate([blocks[gate] for gate in gates])


def state_names(case: Case, layer: int) -> list[str]:
    return [f"{state}{layer}" for state in ("h", "c")[:2 if case.cell == "lstm" else 1]]


def build(case: Case, time_steps: int, with_state: bool) -> bytes:
    """Input x [T, N, C], output y [T, N, H]; with_state also h0, c0 ... and next_h0 ... [1, N, H] for every layer."""
    operator, gates, attributes = OPERATORS[case.cell]
    state_shape, nodes, constants = [1, case.N, case.H], [], []
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [time_steps, case.N, case.C])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [time_steps, case.N, case.H])]

    def constant(name: str, values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    axis, below = constant("axis", np.array([1], dtype=np.int64)), "x"
    for k in range(case.L):
        biases = [reorder(case.arrays[f"bias_{of}_l{k}"], gates) for of in ("ih", "hh")]
        weights = [constant(f"W{k}", reorder(case.arrays[f"weight_ih_l{k}"], gates)[None]),
                   constant(f"R{k}", reorder(case.arrays[f"weight_hh_l{k}"], gates)[None]),
                   constant(f"B{k}", np.concatenate(biases)[None])]
        states = state_names(case, k) if with_state else []
        ahead = [f"next_{name}" for name in states]
        nodes.append(helper.make_node(operator, [below, *weights, "", *states], [f"Y{k}", *ahead], hidden_size=case.H,
                                      **attributes))
        below = "y" if k == case.L - 1 else f"y{k}"
        nodes.append(helper.make_node("Squeeze", [f"Y{k}", axis], [below]))  # [T, 1, N, H]: one direction
        inputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, state_shape) for name in states]
        outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, state_shape) for name in ahead]
    graph = helper.make_graph(nodes, "stack", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def zero_states(case: Case) -> Arrays:
    return {name: np.zeros((1, case.N, case.H), np.float32) for k in range(case.L) for name in state_names(case, k)}
