package fraudstream.query.spark;

import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.values.Key;
import fraudstream.query.values.Packed;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.util.CollectionAccumulator;
import scala.Tuple2;

/** Reads parts: each record with its key in the shuffle, packed. */
final class Shuffle extends Task implements PairFlatMapFunction<Iterator<Part>, byte[], byte[]> {
    private static final long serialVersionUID = 1L;

    Shuffle(Job job, CollectionAccumulator<TaskReport> reports) {
        super(job, reports);
    }

    @Override
    public Iterator<Tuple2<byte[], byte[]>> call(Iterator<Part> parts) {
        TaskReport report = new TaskReport();
        List<Job.Input> inputs = job.inputs("streams");
        List<Apart> apart = new ArrayList<>();
        inputs.forEach(input -> apart.add(new Apart(input, job.functions())));
        return new Rows(new Reading(job, inputs, parts, report), apart, report);
    }

    /** The rows as Spark takes them: it asks for each by itself. */
    private final class Rows implements Iterator<Tuple2<byte[], byte[]>> {
        private final Reading reading;
        private final List<Apart> apart;
        private final TaskReport report;
        private boolean isKnown;
        private boolean hasNext;

        Rows(Reading reading, List<Apart> apart, TaskReport report) {
            this.reading = reading;
            this.apart = apart;
            this.report = report;
        }

        @Override
        public boolean hasNext() {
            if (!isKnown) {
                try {
                    hasNext = reading.next();
                } catch (IOException error) {
                    throw new UncheckedIOException(error.getMessage(), error);
                }
                isKnown = true;
                if (!hasNext) {
                    reports.add(report);
                }
            }
            return hasNext;
        }

        @Override
        public Tuple2<byte[], byte[]> next() {
            isKnown = false;
            int hash = apart.get(reading.input()).hash(reading.record());
            byte[] key = SortKey.of(hash, reading.ticks(), reading.arrival(), reading.input());
            return new Tuple2<>(key, Packed.pack(reading.record()));
        }
    }

    /** What keeps an input's rows apart. */
    private static final class Apart {
        private final Expression[] key;
        private final Scope scope = new Scope(1);

        Apart(Job.Input input, UserFunctions functions) {
            key = new Expression[input.key.size()];
            for (int place = 0; place < key.length; place++) {
                key[place] = Expressions.of(input.key.get(place), functions);
            }
        }

        int hash(Record record) {
            if (key.length == 0) {
                return 0;
            }
            scope.rows[0] = record;
            Object[] values = new Object[key.length];
            try {
                for (int place = 0; place < key.length; place++) {
                    values[place] = key[place].value(scope);
                }
            } catch (QueryStopped error) {
                // The engine meets the same error, and tells it.
                return 0;
            }
            return new Key(values).hashCode();
        }
    }
}
