"""Of what matter each pixel around a face is: hair, skin, clothes, a covering, glasses, what is before the face."""
