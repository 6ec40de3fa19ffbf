package fraudstream.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * An event's times, numbers and texts → the cells that count it: period, start, end, dimension, value. It has none for
 * a value that the event lacks, nor for months and days of a date that is too far from the event's arrival.
 */
public class Cells extends Function {
    private static final UTF8String MINUTE = UTF8String.fromString("minute");
    private static final UTF8String TOTAL = UTF8String.fromString("total");
    private static final UTF8String MONTH = UTF8String.fromString("month");
    private static final UTF8String DAY = UTF8String.fromString("day");
    private static final long MINUTE_MICROS = 60_000_000L;
    private static final long HOUR_MICROS = 60 * MINUTE_MICROS;
    private static final long DAY_MICROS = 24 * HOUR_MICROS;

    private static volatile Dimensions latest;

    Cells() {
        super("cells", DataTypes.StringType, many(DataTypes.TimestampType), many(DataTypes.DoubleType),
            many(DataTypes.StringType));
    }

    private static DataType many(DataType of) {
        return DataTypes.createArrayType(of);
    }

    /**
     * {@code dimensions} is the JSON that {@code fraudstream.store.rollups} makes. {@code moments}: the event's arrival
     * and its own time, which may be null. {@code numbers} and {@code texts}: its values in the order of the JSON.
     */
    public static ArrayData invoke(UTF8String dimensions, ArrayData moments, ArrayData numbers, ArrayData texts) {
        Dimensions by = dimensions(dimensions);
        Event event = new Event(by, moments.getLong(0), moments.isNullAt(1) ? null : moments.getLong(1));
        event.addWhole();
        for (int at = 0; at < by.texts.length; at++) {
            if (!texts.isNullAt(at)) {
                event.add(by.texts[at], texts.getUTF8String(at));
            }
        }
        for (int at = 0; at < by.numbers.length; at++) {
            if (!numbers.isNullAt(at)) {
                event.add(by.numbers[at].name, by.numbers[at].bin(numbers.getDouble(at)));
            }
        }
        for (Part part : by.parts) {
            event.addPart(part);
        }
        return new GenericArrayData(event.cells.toArray());
    }

    private static Dimensions dimensions(UTF8String text) {
        Dimensions known = latest;
        if (known == null || !known.text.equals(text)) {
            known = Dimensions.of(text);
            latest = known;
        }
        return known;
    }

    /** The cells of one event, collected. */
    private static final class Event {
        private final List<InternalRow> cells = new ArrayList<>();
        private final Dimensions by;
        private final Long micros;
        private final long minute;
        private final LocalDate date;
        private final boolean isDated;

        /** Times in microseconds since 1970 in UTC; {@code own} may be null. */
        Event(Dimensions by, long arrival, Long own) {
            this.by = by;
            micros = own;
            minute = arrival - Math.floorMod(arrival, MINUTE_MICROS);
            date = own == null ? null : LocalDate.ofEpochDay(Math.floorDiv(own, DAY_MICROS));
            long age = own == null ? 0 : Math.floorDiv(arrival, DAY_MICROS) - date.toEpochDay();
            isDated = own != null && age >= -by.newestDays && age <= by.oldestDays;
        }

        /** The cells of what counts every event. */
        void addWhole() {
            add(by.all, by.all);
            if (isDated) {
                add(DAY, date.toEpochDay() * DAY_MICROS, by.never, by.all, by.all);
            }
        }

        void add(UTF8String dimension, UTF8String value) {
            add(MINUTE, minute, minute + MINUTE_MICROS, dimension, value);
            add(TOTAL, null, by.never, dimension, value);
            if (isDated) {
                add(MONTH, date.withDayOfMonth(1).toEpochDay() * DAY_MICROS, by.never, dimension, value);
            }
        }

        void addPart(Part part) {
            if (micros != null) {
                long value = switch (part) {
                    case hour -> Math.floorMod(micros, DAY_MICROS) / HOUR_MICROS;
                    case weekday -> date.getDayOfWeek().getValue();
                    case month_of_year -> date.getMonthValue();
                };
                add(part.text, UTF8String.fromString(Long.toString(value)));
            }
        }

        private void add(UTF8String period, Long start, long end, UTF8String dimension, UTF8String value) {
            cells.add(new GenericInternalRow(new Object[] {period, start, end, dimension, value}));
        }
    }

    /** A part of an event's time by which it is counted, named as its dimension is. */
    private enum Part {
        hour, weekday, month_of_year;

        private final UTF8String text = UTF8String.fromString(name());
    }

    /** A number by which events are counted: the lower edges of its bins, and their names. */
    private record Number(UTF8String name, double[] edges, UTF8String[] bins) {
        static Number of(JsonNode described) {
            double[] edges = new double[described.get("edges").size()];
            for (int at = 0; at < edges.length; at++) {
                edges[at] = described.get("edges").get(at).asDouble();
            }
            return new Number(
                UTF8String.fromString(described.get("name").asText()), edges, Cells.texts(described.get("bins")));
        }

        /** A number below the first edge is in the first bin. */
        UTF8String bin(double number) {
            int at = 0;
            while (at + 1 < edges.length && !(number < edges[at + 1])) {
                at++;
            }
            return bins[at];
        }
    }

    /** What events are counted by; {@code never}: an end in microseconds that is later than all times. */
    private record Dimensions(
        UTF8String text, UTF8String all, UTF8String[] texts, Number[] numbers, Part[] parts, long oldestDays,
        long newestDays, long never) {
        static Dimensions of(UTF8String text) {
            try {
                JsonNode described = new ObjectMapper().readTree(text.toString());
                Number[] numbers = new Number[described.get("numbers").size()];
                for (int at = 0; at < numbers.length; at++) {
                    numbers[at] = Number.of(described.get("numbers").get(at));
                }
                Part[] parts = new Part[described.get("times").size()];
                for (int at = 0; at < parts.length; at++) {
                    parts[at] = Part.valueOf(described.get("times").get(at).asText());
                }
                return new Dimensions(
                    text.clone(), UTF8String.fromString(described.get("all").asText()),
                    Cells.texts(described.get("texts")), numbers, parts, described.get("oldest_days").asLong(),
                    described.get("newest_days").asLong(), described.get("never").asLong());
            } catch (JsonProcessingException error) {
                throw new IllegalArgumentException(error);
            }
        }
    }

    private static UTF8String[] texts(JsonNode described) {
        UTF8String[] texts = new UTF8String[described.size()];
        for (int at = 0; at < texts.length; at++) {
            texts[at] = UTF8String.fromString(described.get(at).asText());
        }
        return texts;
    }
}
