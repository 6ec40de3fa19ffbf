package fraudstream.query.analytics;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.aggregates.Place;
import fraudstream.query.expressions.ExpressionList;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Record;
import java.util.ArrayDeque;
import java.util.Locale;

/**
 * ANOMALYDETECTION_SPIKEANDDIP and ANOMALYDETECTION_CHANGEPOINT, as the service's documentation names their methods: a
 * kernel density estimate of the history, and a martingale over the values' exchangeability. The service does not tell
 * the details of its own, so scores differ from its scores.
 */
final class Anomaly extends Analytic {
    private static final int CONFIDENCE = 1;
    private static final int HISTORY = 2;
    private static final int MODE = 3;
    private static final int LEAST_HISTORY = 5;
    private static final double PERCENT = 100.0;
    // The exponent of the power martingale, as S.-S. Ho and H. Wechsler use it for change detection.
    private static final double POWER = 0.92;

    private static final double[] TAIL = {0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429};

    private final ExpressionList arguments;
    private final Place place;
    private final boolean change;

    private static final class Course extends Pasts {
        double martingale = 1.0;

        @Override
        public void save(StateWriter to) {
            super.save(to);
            to.real(martingale);
        }

        @Override
        public void load(StateReader from) {
            super.load(from);
            martingale = from.real();
        }
    }

    Anomaly(JsonNode described, UserFunctions functions, Place place) {
        super(described, functions);
        arguments = new ExpressionList(described.get("args"), functions);
        this.place = place;
        change = described.get("f").asText().endsWith("changepoint");
    }

    @Override
    State make() {
        return new Course();
    }

    @Override
    Object value(Scope row, State state, boolean counts) {
        Object value = arguments.get(0).value(row);
        if (!counts || value == null) {
            return null;
        }
        double number = place.number(value).doubleValue();
        double doubt = 1.0 - place.number(arguments.get(CONFIDENCE).value(row)).doubleValue() / PERCENT;
        long history = place.number(arguments.get(HISTORY).value(row)).longValue();
        Course pasts = (Course) state;
        while (!pasts.rows.isEmpty()
            && (pasts.rows.size() >= history || pasts.rows.peek().time() <= row.time - limit)) {
            pasts.rows.poll();
        }
        Record found = new Record(2);
        if (pasts.rows.size() < LEAST_HISTORY) {
            found.add("IsAnomaly", 0L);
            found.add("Score", change ? 0.0 : 1.0);
        } else if (change) {
            addChange(pasts, number, doubt, found);
        } else {
            double score = tail(pasts.rows, number, String.valueOf(arguments.get(MODE).value(row)));
            found.add("IsAnomaly", score < doubt ? 1L : 0L);
            found.add("Score", score);
        }
        pasts.rows.add(new Pasts.Past(row.time, number));
        return found;
    }

    /** The probability of a value so far out, by Gaussian kernels over the history. */
    private static double tail(ArrayDeque<Pasts.Past> rows, double value, String mode) {
        double width = width(rows);
        double above = 0;
        for (Pasts.Past past : rows) {
            above += 1.0 - normal((value - value(past)) / width);
        }
        above /= rows.size();
        return switch (mode.toLowerCase(Locale.ROOT)) {
            case "spikes" -> above;
            case "dips" -> 1.0 - above;
            default -> Math.min(1.0, 2 * Math.min(above, 1.0 - above));
        };
    }

    /** B. W. Silverman's rule for the width of the kernels. */
    private static double width(ArrayDeque<Pasts.Past> rows) {
        double mean = mean(rows);
        double squares = 0;
        for (Pasts.Past past : rows) {
            squares += (value(past) - mean) * (value(past) - mean);
        }
        double deviation = Math.sqrt(squares / rows.size());
        double least = Math.max(Math.abs(mean), 1.0) * 1e-9;
        return Math.max(1.06 * deviation * Math.pow(rows.size(), -0.2), least);
    }

    private static double mean(ArrayDeque<Pasts.Past> rows) {
        double sum = 0;
        for (Pasts.Past past : rows) {
            sum += value(past);
        }
        return sum / rows.size();
    }

    private static void addChange(Course pasts, double value, double doubt, Record found) {
        double mean = mean(pasts.rows);
        int stranger = 1;
        for (Pasts.Past past : pasts.rows) {
            stranger += Math.abs(value(past) - mean) >= Math.abs(value - mean) ? 1 : 0;
        }
        double share = (double) stranger / (pasts.rows.size() + 1);
        pasts.martingale = Math.max(1.0, pasts.martingale * POWER * Math.pow(share, POWER - 1));
        boolean changed = pasts.martingale > 1.0 / Math.max(doubt, 1e-9);
        found.add("IsAnomaly", changed ? 1L : 0L);
        found.add("Score", pasts.martingale);
        if (changed) {
            pasts.martingale = 1.0;
            pasts.rows.clear();
        }
    }

    private static double value(Pasts.Past past) {
        return (Double) past.value();
    }

    /** The standard normal distribution, by M. Abramowitz and I. A. Stegun, 26.2.17. */
    private static double normal(double x) {
        double t = 1.0 / (1.0 + 0.2316419 * Math.abs(x));
        double upper = 0;
        for (int at = TAIL.length - 1; at >= 0; at--) {
            upper = t * (TAIL[at] + upper);
        }
        upper *= Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
        return x >= 0 ? 1.0 - upper : upper;
    }
}
