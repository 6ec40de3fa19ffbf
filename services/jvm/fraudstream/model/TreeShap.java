package fraudstream.model;

import java.util.Arrays;

/**
 * What each feature adds to the margin: path-dependent TreeSHAP (Lundberg, Erion and Lee, "Consistent individualized
 * feature attribution for tree ensembles", 2018, algorithm 2), as XGBoost's {@code pred_contribs} computes it.
 */
final class TreeShap {
    private final int[] feature;
    private final float[] split;
    private final int[] left;
    private final int[] right;
    private final boolean[] missingLeft;
    private final double[] value;
    private final double[] cover;
    private final int[] roots;

    TreeShap(
        int[] feature, float[] split, int[] left, int[] right, boolean[] missingLeft, double[] value, double[] cover) {
        this.feature = feature;
        this.split = split;
        this.left = left;
        this.right = right;
        this.missingLeft = missingLeft;
        this.value = value;
        this.cover = cover;
        boolean[] below = new boolean[feature.length];
        for (int node = 0; node < feature.length; node++) {
            if (feature[node] >= 0) {
                below[left[node]] = true;
                below[right[node]] = true;
            }
        }
        int count = 0;
        int[] candidates = new int[feature.length];
        for (int node = 0; node < feature.length; node++) {
            if (!below[node]) {
                candidates[count++] = node;
            }
        }
        roots = Arrays.copyOf(candidates, count);
    }

    double[] contributions(float[] row, int features) {
        double[] contributions = new double[features];
        for (int root : roots) {
            if (feature[root] >= 0 && feature[left[root]] < 0 && feature[right[root]] < 0) {
                // A single feature takes all that its one split adds to the tree's mean.
                contributions[feature[root]] += value[goesLeft(row, root) ? left[root] : right[root]] - mean(root);
                continue;
            }
            descend(row, contributions, root, new Path(), 1.0, 1.0, -1);
        }
        return contributions;
    }

    private boolean goesLeft(float[] row, int node) {
        float input = row[feature[node]];
        return input < split[node] || Float.isNaN(input) && missingLeft[node];
    }

    /** The mean of a single split's two leaves, by the training rows that ended in each. */
    private double mean(int root) {
        int first = left[root];
        int second = right[root];
        return (cover[first] * value[first] + cover[second] * value[second]) / cover[root];
    }

    private void descend(float[] row, double[] contributions, int node, Path above, double zero, double one, int by) {
        Path path = above.extended(zero, one, by);
        if (feature[node] < 0) {
            for (int at = 1; at < path.length; at++) {
                contributions[path.feature[at]] += path.unwoundSum(at) * (path.one[at] - path.zero[at]) * value[node];
            }
            return;
        }
        boolean goesLeft = goesLeft(row, node);
        int hot = goesLeft ? left[node] : right[node];
        int cold = goesLeft ? right[node] : left[node];
        double formerZero = 1.0;
        double formerOne = 1.0;
        for (int at = 1; at < path.length; at++) {
            if (path.feature[at] == feature[node]) {
                formerZero = path.zero[at];
                formerOne = path.one[at];
                path.unwind(at);
                break;
            }
        }
        descend(row, contributions, hot, path, formerZero * cover[hot] / cover[node], formerOne, feature[node]);
        descend(row, contributions, cold, path, formerZero * cover[cold] / cover[node], 0.0, feature[node]);
    }

    /** The features on the way to a node: the shares of subsets that flow down without and with each of them. */
    private static final class Path {
        int length;
        int[] feature = new int[0];
        double[] zero = new double[0];
        double[] one = new double[0];
        double[] weight = new double[0];

        Path extended(double newZero, double newOne, int newFeature) {
            Path longer = new Path();
            longer.length = length + 1;
            longer.feature = Arrays.copyOf(feature, longer.length);
            longer.zero = Arrays.copyOf(zero, longer.length);
            longer.one = Arrays.copyOf(one, longer.length);
            longer.weight = Arrays.copyOf(weight, longer.length);
            longer.feature[length] = newFeature;
            longer.zero[length] = newZero;
            longer.one[length] = newOne;
            longer.weight[length] = length == 0 ? 1.0 : 0.0;
            for (int at = length - 1; at >= 0; at--) {
                longer.weight[at + 1] += newOne * longer.weight[at] * (at + 1) / (length + 1);
                longer.weight[at] = newZero * longer.weight[at] * (length - at) / (length + 1);
            }
            return longer;
        }

        double unwoundSum(int at) {
            int last = length - 1;
            double next = weight[last];
            double total = 0.0;
            for (int below = last - 1; below >= 0; below--) {
                if (one[at] != 0.0) {
                    double part = next * (last + 1) / ((below + 1) * one[at]);
                    total += part;
                    next = weight[below] - part * zero[at] * (last - below) / (last + 1);
                } else {
                    total += weight[below] * (last + 1) / (zero[at] * (last - below));
                }
            }
            return total;
        }

        void unwind(int at) {
            int last = length - 1;
            double next = weight[last];
            for (int below = last - 1; below >= 0; below--) {
                if (one[at] != 0.0) {
                    double former = weight[below];
                    weight[below] = next * (last + 1) / ((below + 1) * one[at]);
                    next = former - weight[below] * zero[at] * (last - below) / (last + 1);
                } else {
                    weight[below] = weight[below] * (last + 1) / (zero[at] * (last - below));
                }
            }
            for (int below = at; below < last; below++) {
                feature[below] = feature[below + 1];
                zero[below] = zero[below + 1];
                one[below] = one[below + 1];
            }
            length = last;
        }
    }
}
