"""How small the mean squared error on `cifar10-rotation` can be at the size of the sample.

An image turned by t and reflected at its border is the same, pixel for pixel, as its quarter turn turned by t - 90: between
30 and 60 degrees on either side, half of all angles, both are possible, and only what the image shows can tell them apart. So give a model the angle but for that quarter turn, let a support vector machine tell
upright images from quarter turns (HOG and an 8 x 8 thumbnail, the training images and their mirror images), and let it
answer with the mean of the two angles, weighted by its probabilities. Its logistic scale is fitted on the test images, to be
generous. A model that has to find the angle too, and knows no better what is up, cannot do better.

usage: "$(scripts/peers/setup)/bin/python" scripts/peers/rotation.py
"""

import numpy as np
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from quick import images


def features(pixels):
    rows = []
    for image in pixels.transpose(0, 2, 3, 1) / 255:
        thumbnail = image.reshape(8, 4, 8, 4, 3).mean((1, 3))
        gradients = hog(image, channel_axis=-1, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2))
        rows.append(np.concatenate([gradients, 2 * thumbnail.ravel()]))
    return np.array(rows)


def upright_and_turned(pixels):
    """Each image and its quarter turn; which of the two directions is known, so one of them is enough."""
    turned = np.rot90(pixels, 1, (2, 3))
    return features(np.concatenate([pixels, turned])), np.repeat([0, 1], len(pixels))


def main():
    train, test = images("train")[0], images("test")[0]
    rows, labels = upright_and_turned(np.concatenate([train, train[..., ::-1]]))
    test_rows, test_labels = upright_and_turned(test)
    scale = StandardScaler().fit(rows)
    for c in (1, 3, 10):
        machine = SVC(C=c).fit(scale.transform(rows), labels)
        values = machine.decision_function(scale.transform(test_rows))
        chances = LogisticRegression(C=1e3).fit(values[:, None], test_labels).predict_proba(values[:, None])[:, 1]
        right = np.mean((values > 0) == test_labels)
        # Half of the angles are free of doubt; the others are 90 degrees apart.
        error = 0.5 * 90**2 * np.mean((chances - test_labels) ** 2)
        print(f"C = {c}: upright or not {right:.3f} right, mean squared error at least {error:.0f}")


if __name__ == "__main__":
    main()
