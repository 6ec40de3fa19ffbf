package fraudstream.query.live;

import java.io.Serializable;

/** A partition of an input's topic: its records come in one order. Inputs are named by their numbers. */
record Lane(int input, int partition) implements Serializable, Comparable<Lane> {
    @Override
    public int compareTo(Lane other) {
        int order = Integer.compare(input, other.input);
        return order != 0 ? order : Integer.compare(partition, other.partition);
    }

    /**
     * How far a lane has come, in ticks.
     *
     * @param arrival no later record counts as having arrived earlier
     * @param watermark no later record has an earlier time
     * @param keys what is known of the keys of TIMESTAMP BY … OVER, as {@code Lateness} writes it
     */
    record Clock(long arrival, long watermark, byte[] keys) implements Serializable {
        static final Clock NEW = new Clock(Long.MIN_VALUE, Long.MIN_VALUE, null);

        /** The clock of a lane without records: time goes on for it, too. */
        Clock idle(long now, LiveJob.Input input) {
            // Where events may be as late as they like, the clock says nothing of them.
            if (now <= arrival || input.late == LiveJob.UNLIMITED) {
                return this;
            }
            return new Clock(now, Math.max(watermark, now - input.late), keys);
        }

        /** Whether nobody waits for a lane without a record: see {@link LiveJob#idle}. A new one is not waited for. */
        boolean isLeft(long tick, LiveJob.Input input, long idle) {
            return idle > 0 && input.late == LiveJob.UNLIMITED && tick != Long.MIN_VALUE
                && (arrival == Long.MIN_VALUE || tick - arrival >= idle);
        }

        Clock withoutKeys() {
            return new Clock(arrival, watermark, null);
        }
    }
}
