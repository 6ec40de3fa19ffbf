package fraudstream.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import fraudstream.contract.Contract;
import fraudstream.contract.Field;
import java.io.File;
import java.io.IOException;

/**
 * A registered model's trees, read from the {@code trees.json} that training logs beside the served form of the same
 * version. XGBoost's are evaluated in its own single precision, in its order, so that no decision differs.
 */
public final class Ensemble {
    private static final int REASONS = 3;

    /** What all scored records of this version have in common: see {@link Decision#inCommon}. */
    public final byte[] inCommon;
    /** The registry's version number. */
    public final String version;
    /** The score from which on it is an alert. */
    public final double threshold;
    private final Contract contract;
    private final boolean singlePrecision;
    private final double base;
    private final int[] roots;
    private final int[] feature;
    private final double[] split;
    private final float[] split32;
    private final int[] left;
    private final int[] right;
    /** Whether a missing input goes left. */
    private final boolean[] missingLeft;
    private final double[] value;
    private final float[] value32;
    private final double[] cover;
    private final TreeShap shap;
    private final Stumps stumps;

    private Ensemble(Contract contract, JsonNode described) {
        this.contract = contract;
        threshold = described.get("threshold").asDouble();
        version = described.get("version").asText();
        inCommon = Decision.inCommon(threshold, version);
        singlePrecision = described.get("single_precision").asBoolean();
        base = described.get("base").asDouble();
        roots = integers(described.get("roots"));
        feature = integers(described.get("feature"));
        split = numbers(described.get("split"));
        left = integers(described.get("left"));
        right = integers(described.get("right"));
        missingLeft = truths(described.get("missing_left"), feature.length);
        value = numbers(described.get("value"));
        cover = numbers(described.get("cover"));
        split32 = narrowed(split);
        value32 = narrowed(value);
        stumps = singlePrecision ? Stumps.of(roots, feature, split32, left, right, missingLeft, value32) : null;
        requirePlaces();
        shap = cover.length == 0 ? null : new TreeShap(feature, split32, left, right, missingLeft, value, cover);
    }

    /** Reads an ensemble; refuses one that was trained on other fields or codes than this contract's. */
    public static Ensemble read(Contract contract, File file) throws IOException {
        JsonNode described = new ObjectMapper().readTree(file);
        if (!isOf(contract, described)) {
            throw new IllegalStateException(
                "fraudstream: version " + described.get("version").asText()
                + " of the model was trained on other fields or categories than the contract has. Train anew.");
        }
        return new Ensemble(contract, described);
    }

    private static boolean isOf(Contract contract, JsonNode described) {
        JsonNode names = described.get("features");
        if (names.size() != contract.features.length) {
            return false;
        }
        for (int at = 0; at < contract.features.length; at++) {
            Field field = contract.slots[contract.features[at]];
            JsonNode codes = described.get("codes").get(field.name);
            if (!field.name.equals(names.get(at).asText()) || !areCodesOf(field, codes)) {
                return false;
            }
        }
        return true;
    }

    /** {@code codes} is null for a field that the model has no codes of. */
    private static boolean areCodesOf(Field field, JsonNode codes) {
        if (codes == null) {
            return field.known.isEmpty();
        }
        if (codes.size() != field.known.size()) {
            return false;
        }
        for (int place = 0; place < field.known.size(); place++) {
            JsonNode code = codes.get(field.known.get(place));
            if (code == null || code.asInt() != place) {
                return false;
            }
        }
        return true;
    }

    /** A tree that leads nowhere would refuse every event, one by one. */
    private void requirePlaces() {
        for (int node = 0; node < feature.length; node++) {
            boolean inside = feature[node] < 0
                || feature[node] < contract.features.length && isNode(left[node]) && isNode(right[node]);
            if (!inside) {
                throw new IllegalStateException("fraudstream: node " + node + " of the model's trees leads nowhere");
            }
        }
    }

    private boolean isNode(int place) {
        return place >= 0 && place < feature.length;
    }

    /**
     * Decides on an event by the model's inputs, in the contract's order, of which missing ones are NaN. Throws {@link ArithmeticException} where the
     * score is no number.
     */
    public Decision decide(double[] row) {
        float[] narrow = narrowed(row);
        double score = singlePrecision ? score32(narrow) : score64(row);
        if (Double.isNaN(score)) {
            throw new ArithmeticException("the score is not a number");
        }
        int prediction = score >= threshold ? 1 : 0;
        if (prediction == 0) {
            return new Decision(prediction, score, "[]");
        }
        double[] contributions = shap != null ? shap.contributions(narrow, row.length) : path(row);
        return new Decision(prediction, score, reasons(contributions));
    }

    private float score32(float[] row) {
        float margin = stumps != null ? stumps.margin((float) base, row) : walked32(row);
        float power = (float) Math.exp(Math.min(-margin, 88.7f));
        return 1.0f / (power + 1.0f);
    }

    private float walked32(float[] row) {
        float margin = (float) base;
        for (int tree = 0; tree < roots.length; tree++) {
            int node = roots[tree];
            while (feature[node] >= 0) {
                float input = row[feature[node]];
                boolean goesLeft = input < split32[node] || Float.isNaN(input) && missingLeft[node];
                node = goesLeft ? left[node] : right[node];
            }
            margin += value32[node];
        }
        return margin;
    }

    private double score64(double[] row) {
        double margin = base;
        for (int tree = 0; tree < roots.length; tree++) {
            int node = roots[tree];
            while (feature[node] >= 0) {
                node = goesLeft(row, node) ? left[node] : right[node];
            }
            margin += value[node];
        }
        return 1.0 / (1.0 + Math.exp(-margin));
    }

    private boolean goesLeft(double[] row, int node) {
        double input = row[feature[node]];
        return input <= split[node] || Double.isNaN(input) && missingLeft[node];
    }

    /** The changes of the nodes' values along each tree's path, credited to the features that the nodes split on. */
    private double[] path(double[] row) {
        double[] contributions = new double[row.length];
        for (int tree = 0; tree < roots.length; tree++) {
            int node = roots[tree];
            while (feature[node] >= 0) {
                int below = goesLeft(row, node) ? left[node] : right[node];
                contributions[feature[node]] += value[below] - value[node];
                node = below;
            }
        }
        return contributions;
    }

    private String reasons(double[] contributions) {
        StringBuilder json = new StringBuilder(180).append('[');
        for (int reason = 0; reason < REASONS; reason++) {
            int most = 0;
            for (int at = 1; at < contributions.length; at++) {
                if (contributions[at] > contributions[most]) {
                    most = at;
                }
            }
            if (!(contributions[most] > 0)) {
                break;
            }
            String field = contract.slots[contract.features[most]].name;
            Decision.addReason(json, field, Math.rint(contributions[most] * 1e4) / 1e4);
            contributions[most] = Double.NEGATIVE_INFINITY;
        }
        return json.append(']').toString();
    }

    private static float[] narrowed(double[] wide) {
        float[] narrow = new float[wide.length];
        for (int at = 0; at < wide.length; at++) {
            // Zero has no sign here: see Stumps.
            narrow[at] = (float) wide[at] + 0.0f;
        }
        return narrow;
    }

    private static int[] integers(JsonNode list) {
        int[] integers = new int[list.size()];
        for (int at = 0; at < integers.length; at++) {
            integers[at] = list.get(at).asInt();
        }
        return integers;
    }

    /** None is true where there is no list, as ensembles of former versions have none. */
    private static boolean[] truths(JsonNode list, int count) {
        boolean[] truths = new boolean[count];
        for (int at = 0; list != null && at < count; at++) {
            truths[at] = list.path(at).asBoolean();
        }
        return truths;
    }

    private static double[] numbers(JsonNode list) {
        double[] numbers = new double[list.size()];
        for (int at = 0; at < numbers.length; at++) {
            numbers[at] = list.get(at).asDouble();
        }
        return numbers;
    }
}
