"""How far the reconstructed heads are from the truth: metric, synthetic renders, readers of public benchmarks.

Compare fits in seconds, on renders whose landmarks are already found:

    from accuracy.synthetic import load_renders      # with benchmarks/ on the path
    from accuracy.evaluate import evaluate

    renders = load_renders("/tmp/accuracy_cache/ict-seed0-40x1-yaw40-v1.npz")  # accuracy.py --ict ... --quick
    scores = evaluate(fit_function, renders)  # fit_function(render) -> tronie Fit; workers=2 for speed
    print(scores.summary())
"""
