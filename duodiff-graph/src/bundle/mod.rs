//! The `.duo` file: plan, kernels, the weights' identity and, if asked, the weights.
