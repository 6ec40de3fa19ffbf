package fraudstream.model;

/**
 * An ensemble of XGBoost's whose trees split once at most, as arrays in the trees' order: the margin is summed in
 * single precision and in that order, as XGBoost does, without a walk from node to node and without a branch to
 * predict.
 */
final class Stumps {
    private final int[] feature;
    private final float[] split;
    /** Of each tree the leaf at or above its split, then the one below. */
    private final float[] leaves;
    /** Of each tree which of its two leaves a missing input leads to. */
    private final int[] missing;

    private Stumps(int trees) {
        feature = new int[trees];
        split = new float[trees];
        leaves = new float[2 * trees];
        missing = new int[trees];
    }

    /** The stumps, or null where a tree is deeper. The arrays are those of {@link Ensemble}. */
    static Stumps of(
        int[] roots, int[] feature, float[] split, int[] left, int[] right, boolean[] missingLeft, float[] value) {
        Stumps stumps = new Stumps(roots.length);
        for (int tree = 0; tree < roots.length; tree++) {
            int root = roots[tree];
            if (feature[root] < 0) {
                stumps.leaves[2 * tree] = value[root];
                stumps.leaves[2 * tree + 1] = value[root];
                continue;
            }
            if (feature[left[root]] >= 0 || feature[right[root]] >= 0) {
                return null;
            }
            stumps.feature[tree] = feature[root];
            stumps.split[tree] = split[root];
            stumps.missing[tree] = missingLeft[root] ? 1 : 0;
            stumps.leaves[2 * tree] = value[right[root]];
            stumps.leaves[2 * tree + 1] = value[left[root]];
        }
        return stumps;
    }

    /** The margin of a row without negative zeros. */
    float margin(float base, float[] row) {
        for (float input : row) {
            if (Float.isNaN(input)) {
                return marginOfMissing(base, row);
            }
        }
        float margin = base;
        for (int tree = 0; tree < split.length; tree++) {
            // The difference of two numbers is negative exactly where the first is less: its sign bit is the choice.
            int below = Float.floatToRawIntBits(row[feature[tree]] - split[tree]) >>> 31;
            margin += leaves[2 * tree + below];
        }
        return margin;
    }

    private float marginOfMissing(float base, float[] row) {
        float margin = base;
        for (int tree = 0; tree < split.length; tree++) {
            float input = row[feature[tree]];
            int below = Float.isNaN(input) ? missing[tree] : Float.floatToRawIntBits(input - split[tree]) >>> 31;
            margin += leaves[2 * tree + below];
        }
        return margin;
    }
}
