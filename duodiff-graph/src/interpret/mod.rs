//! Executes any program operator by operator in float64: the reference of all executors.
