package fraudstream.query.live;

import fraudstream.query.values.Datetime;
import java.io.Serializable;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * How far the lanes of all inputs have come, and the watermark, which is the least of theirs. Times are ticks.
 *
 * <p>A lane without a record in a batch had none that was unread when the batch was planned, since Spark's source takes
 * at least one record of each partition that has any. Its next one will have arrived later than that.
 */
final class Clocks implements Serializable {
    // The brokers' clocks and this machine's agree within so much, and so long does it take to plan a batch.
    private static final long SLACK = 2 * Datetime.TICKS_PER_SECOND;
    private static final long serialVersionUID = 1L;

    final TreeMap<Lane, Lane.Clock> lanes = new TreeMap<>();
    /** No row of an earlier time will come. */
    final long watermark;

    Clocks(Map<Lane, Lane.Clock> lanes, long watermark) {
        this.lanes.putAll(lanes);
        this.watermark = watermark;
    }

    /** Lets each partition of the job's topics that is new have a lane before its first record. */
    void begin(LiveJob job) {
        for (LiveJob.Input input : job.inputs()) {
            for (int partition = 0; partition < input.partitions; partition++) {
                lanes.putIfAbsent(new Lane(input.number, partition), Lane.Clock.NEW);
            }
        }
    }

    /** The clocks after a batch, from the reports of those who read it; {@code moved}: lanes that are not idle anyway. */
    Clocks after(Collection<Report> reports, Set<Lane> moved, LiveJob job) {
        long tick = Long.MIN_VALUE;
        TreeMap<Lane, Lane.Clock> after = new TreeMap<>(lanes);
        for (Report report : reports) {
            tick = Math.max(tick, report.tick);
        }
        if (tick != Long.MIN_VALUE) {
            long now = tick - SLACK;
            after.replaceAll((lane, clock) ->
                moved.contains(lane) ? clock : clock.idle(now, job.inputs().get(lane.input())));
        }
        Set<Lane> awaited = new HashSet<>(moved);
        for (Report report : reports) {
            after.putAll(report.lanes);
            awaited.addAll(report.lanes.keySet());
        }
        long least = Long.MAX_VALUE;
        long latest = Long.MIN_VALUE;
        for (Map.Entry<Lane, Lane.Clock> lane : after.entrySet()) {
            LiveJob.Input input = job.inputs().get(lane.getKey().input());
            Lane.Clock clock = lane.getValue();
            if (awaited.contains(lane.getKey()) || !clock.isLeft(tick, input, job.idle())) {
                least = Math.min(least, clock.watermark());
            } else if (clock.watermark() != Long.MIN_VALUE) {
                // Behind its latest event.
                latest = Math.max(latest, clock.watermark() + input.outOfOrder + 1);
            }
        }
        least = least == Long.MAX_VALUE ? latest : least;
        return new Clocks(after, after.isEmpty() ? watermark : Math.max(watermark, least));
    }

    /** The same without what only those who read records need. */
    Clocks forState() {
        Clocks plain = new Clocks(lanes, watermark);
        plain.lanes.replaceAll((lane, clock) -> clock.withoutKeys());
        return plain;
    }
}
