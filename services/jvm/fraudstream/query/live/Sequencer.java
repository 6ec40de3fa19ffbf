package fraudstream.query.live;

import fraudstream.query.engine.Lateness;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.input.Admission;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Record;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives events their times: as TIMESTAMP BY says and the policy for late events and for those out of order lets them
 * be, record by record in the order of each lane. What comes of a record depends on the records before it alone.
 */
final class Sequencer {
    private final LiveJob job;
    private final Clocks before;
    private final Report report;
    private final Taker taker;
    private final UserFunctions functions;
    private final Messages messages;
    private final Map<String, List<LiveJob.Input>> byTopic = new HashMap<>();
    private final Map<Lane, Open> open = new HashMap<>();
    private final Map<Integer, Admission> admissions = new HashMap<>();

    /** Takes an event with the time that counts and its arrival, in ticks. */
    interface Taker {
        void take(LiveJob.Input input, RowKey.Place place, long ticks, long arrival, Record record);
    }

    /** A lane under way. */
    private static final class Open {
        final LiveJob.Input input;
        final Lateness lateness;
        long arrival;
        long watermark;
        long offset = -1;

        Open(LiveJob.Input input, Lateness lateness, Lane.Clock clock) {
            this.input = input;
            this.lateness = lateness;
            arrival = clock.arrival();
            watermark = clock.watermark();
            if (clock.keys() != null) {
                lateness.load(new StateReader(new DataInputStream(new ByteArrayInputStream(clock.keys()))));
            }
        }

        Lane.Clock clock() {
            long sure = arrival - input.late;
            lateness.forget(sure);
            ByteArrayOutputStream keys = new ByteArrayOutputStream();
            long ofRows = lateness.watermark();
            lateness.save(new StateWriter(new DataOutputStream(keys)));
            // A key that nobody knows yet may have any time that is not too late.
            long least = input.hasOver ? sure : Math.max(ofRows, sure);
            return new Lane.Clock(arrival, Math.max(watermark, least), keys.toByteArray());
        }
    }

    /** For a batch, and the project's functions, which one thread uses. */
    Sequencer(Batch batch, UserFunctions functions, Report report, Taker taker) {
        job = batch.job();
        before = batch.before().clocks();
        this.functions = functions;
        this.report = report;
        this.taker = taker;
        messages = new Messages(job, batch.processed());
        for (LiveJob.Input input : job.inputs()) {
            byTopic.computeIfAbsent(input.topic, topic -> new ArrayList<>()).add(input);
            admissions.put(input.number, Admission.of(job.plan(), input.name, functions));
        }
    }

    void read(Gate.Message message) {
        for (LiveJob.Input input : byTopic.getOrDefault(message.topic(), List.of())) {
            Open lane = lane(input, message.partition());
            if (message.offset() <= lane.offset) {
                throw new IllegalStateException(
                    message.topic() + '/' + message.partition() + '/' + message.offset() + " came after "
                    + lane.offset + ": the records of a partition have to come in their order.");
            }
            lane.offset = message.offset();
            lane.arrival = Math.max(lane.arrival, Messages.arrival(message));
            messages.read(input, message, new Messages.Taker() {
                @Override
                public void take(int number, Record record, boolean areTexts) {
                    report.read.merge(input.number, 1L, Long::sum);
                    sequence(lane, message, number, record, areTexts);
                }

                @Override
                public void refuse(int number, BadEvent bad) {
                    report.read.merge(input.number, 1L, Long::sum);
                    drop(lane, message, number, Report.UNREADABLE, bad.getMessage());
                }
            });
        }
    }

    /** Tells how far the lanes have come. */
    void finish() {
        open.forEach((lane, one) -> report.lanes.put(lane, one.clock()));
    }

    private Open lane(LiveJob.Input input, int partition) {
        return open.computeIfAbsent(new Lane(input.number, partition), lane -> {
            LiveJob.Input of = job.inputs().get(lane.input());
            Lateness lateness = new Lateness(
                job.plan(), of.name, functions, new Lateness.Tolerance(of.late, of.outOfOrder, of.drops));
            return new Open(of, lateness, before.lanes.getOrDefault(lane, Lane.Clock.NEW));
        });
    }

    private void sequence(Open lane, Gate.Message message, int number, Record raw, boolean areTexts) {
        Admission admission = admissions.get(lane.input.number);
        String kind = Report.UNREADABLE;
        try {
            Record record = admission.checked(raw, areTexts);
            kind = Report.WITHOUT_KEY;
            admission.requireKeys(record);
            kind = Report.WITHOUT_TIME;
            long ticks = admission.ticks(record, lane.arrival);
            RowKey.Place place = new RowKey.Place(message.partition(), message.offset(), number);
            long time = lane.input.isTimed ? timed(lane, message, number, record, ticks) : ticks;
            if (time == Lateness.DROPPED) {
                return;
            }
            if (time < before.watermark) {
                // Of a partition that was not there before, or where a clock is wrong.
                if (lane.input.isTimed && lane.input.drops) {
                    drop(lane, message, number, Report.OUT_OF_ORDER, "Results of its time have left already.");
                    return;
                }
                time = before.watermark;
            }
            if (lane.input.isTimed && time != ticks) {
                report.adjusted.merge(lane.input.number, 1L, Long::sum);
            }
            taker.take(lane.input, place, time, lane.arrival, record);
        } catch (BadEvent bad) {
            drop(lane, message, number, kind, bad.getMessage());
        }
    }

    private long timed(Open lane, Gate.Message message, int number, Record record, long ticks) {
        long time = lane.lateness.timeOf(record, ticks, lane.arrival);
        if (time == Lateness.DROPPED) {
            if (ticks > lane.arrival + Lateness.EARLY) {
                drop(lane, message, number, Report.EARLY, "Its time is more than 5 minutes after its arrival.");
            } else if (ticks < lane.arrival - lane.input.late) {
                drop(lane, message, number, Report.LATE, "It came later than the policy tolerates.");
            } else {
                drop(lane, message, number, Report.OUT_OF_ORDER, "It came after later ones than the policy tolerates.");
            }
        }
        return time;
    }

    private void drop(Open lane, Gate.Message message, int number, String kind, String why) {
        RowKey.Place place = new RowKey.Place(message.partition(), message.offset(), number);
        byte[] value = message.value() == null ? new byte[0] : message.value();
        report.addDropped(lane.input, place, kind, why, new String(value, StandardCharsets.UTF_8));
    }
}
