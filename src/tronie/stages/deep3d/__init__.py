"""Deep3D (Deng, Yang, Xu, Chen, Jia, Tong 2019, "Accurate 3D Face Reconstruction with Weakly-Supervised Learning"): a
net reads shape, expression, skin, pose and light of the Basel Face Model off an aligned crop. Nothing of it comes with
tronie: net and face model are the user's own (`tronie models import`)."""
