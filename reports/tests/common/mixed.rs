//! Labels that are variants of two models.

use crate::grids::Variant;

/// Two parameters that vary, and a word, and numbers from 0 on.
pub(crate) const MIXED: &[Variant] = &[
    ("resnet", "resnet-crop-0-flip-false", "resnet", "crop=0 depth=8 flip=false"),
    ("transformer", "resnet-crop-0-flip-true", "resnet", "crop=0 depth=8 flip=true"),
    ("lstm", "resnet-crop-4-flip-false", "resnet", "crop=4 depth=8 flip=false"),
    ("svm", "resnet-crop-4-flip-true", "resnet", "crop=4 depth=8 flip=true"),
    ("random-forest", "svm-c-0", "svm", "c=0 kernel=linear"),
    ("resnet-deep", "svm-c-0.01", "svm", "c=0.01 kernel=linear"),
    ("svm-linear", "svm-c-10", "svm", "c=10 kernel=linear"),
    ("lstm-bidirectional", "svm-rbf", "svm", "c=10 kernel=rbf"),
];
