"""How far the reconstructed heads are from the truth: metric, synthetic renders, scans, readers of public benchmarks.

`trial` compares fits in seconds, on renders and scans whose landmarks are already found. In parts:

    from benchmarks.accuracy.synthetic import cache_path, load_renders  # from the root of the repository
    from benchmarks.accuracy.evaluate import evaluate

    # made by: python -m benchmarks.accuracy --ict ../shared/ict/ict_facekit.npz --quick
    renders = load_renders(cache_path("../shared/ict/ict_facekit.npz", seed=0, people=40, takes=1, max_yaw=40.0))
    scores = evaluate(fit_function, renders)  # fit_function(render) -> tronie Fit; workers=2 for speed
    print(scores.error, scores.summary())
"""
