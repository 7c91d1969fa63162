"""What work runs on: jobs, threads, processes, kernels, nets, weights, files written whole."""
