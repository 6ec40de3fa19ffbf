package fraudstream.query.engine;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.ExpressionList;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.state.Stateful;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.Key;
import fraudstream.query.values.Record;
import java.util.HashMap;
import java.util.Map;

/**
 * What happens to the events of one input, or of one of its partitions, that come early, late or out of order. All
 * times and tolerances are in ticks. Each key of TIMESTAMP BY … OVER has an order of its own.
 */
public final class Lateness implements Stateful {
    /** The answer for an event that is dropped. */
    public static final long DROPPED = Long.MIN_VALUE;
    /** An event may be so much ahead of its arrival. */
    public static final long EARLY = 5 * 60 * Datetime.TICKS_PER_SECOND;

    private final Tolerance tolerance;
    private final ExpressionList over;
    private final Scope scope = new Scope(1);
    private final Map<Key, Long> watermarks = new HashMap<>();

    /** {@code drops}: events that are too late or out of order are dropped. Otherwise their times are changed. */
    public record Tolerance(long late, long outOfOrder, boolean drops) {
    }

    /** For an input of a plan. */
    public Lateness(JsonNode plan, String input, UserFunctions functions, Tolerance tolerance) {
        this.tolerance = tolerance;
        ExpressionList keys = new ExpressionList(plan.path("none"), functions);
        for (JsonNode step : plan.get("steps")) {
            if (step.path("input").asText().equalsIgnoreCase(input) && step.path("over").size() > 0) {
                keys = new ExpressionList(step.get("over"), functions);
            }
        }
        over = keys;
    }

    /** The time that counts for an event of a time and an arrival, or {@link #DROPPED}. Events come as they arrive. */
    public long timeOf(Record event, long ticks, long arrival) {
        if (ticks > arrival + EARLY) {
            return DROPPED;
        }
        Key key = key(event, arrival);
        long watermark = watermarks.getOrDefault(key, Long.MIN_VALUE);
        long least = Math.max(arrival - tolerance.late, watermark);
        if (ticks < least && tolerance.drops) {
            return DROPPED;
        }
        long time = Math.max(ticks, least);
        watermarks.put(key, Math.max(watermark, time - tolerance.outOfOrder));
        return time;
    }

    private Key key(Record event, long arrival) {
        scope.rows[0] = event;
        scope.times[0] = arrival;
        scope.time = arrival;
        return over.key(scope);
    }

    /** Later events have this time or a later one, if the input has keys of its own: those of known keys. */
    public long watermark() {
        long least = Long.MAX_VALUE;
        for (long one : watermarks.values()) {
            least = Math.min(least, one);
        }
        return watermarks.isEmpty() ? Long.MIN_VALUE : least;
    }

    /** Lets go of keys whose later events all have this time or a later one, whatever was known of them. */
    public void forget(long ticks) {
        watermarks.values().removeIf(watermark -> watermark <= ticks);
    }

    @Override
    public void save(StateWriter to) {
        to.each(watermarks.entrySet(), entry -> {
            to.key(entry.getKey());
            to.number(entry.getValue());
        });
    }

    @Override
    public void load(StateReader from) {
        from.each(() -> watermarks.put(from.key(), from.number()));
    }
}
