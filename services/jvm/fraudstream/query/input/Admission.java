package fraudstream.query.input;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.Json;
import fraudstream.query.values.Moments;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import fraudstream.query.values.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** What happens to an input's records before the query: their columns are checked, and they get their times. */
public final class Admission {
    private static final int MOST_CHARACTERS = 100;
    private static final String FIRST = "1.0";
    private static final String CURRENT = "1.2";
    private static final Pattern MOMENT = Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d");

    private final String[] names;
    private final String[] types;
    private final String level;
    private final Set<String> datetimes;
    private final Expression timestamp;
    private final Expression[] over;
    private final Scope scope = new Scope(1);

    private Admission(
        JsonNode columns, String level, Set<String> datetimes, JsonNode read, UserFunctions functions) {
        names = new String[columns.size()];
        types = new String[columns.size()];
        for (int column = 0; column < names.length; column++) {
            names[column] = columns.get(column).get("name").asText().intern();
            types[column] = columns.get(column).get("type").asText();
        }
        this.level = level;
        this.datetimes = datetimes;
        timestamp = read.path("timestamp").isObject() ? Expressions.of(read.get("timestamp"), functions) : null;
        over = new Expression[read.path("over").size()];
        for (int key = 0; key < over.length; key++) {
            over[key] = Expressions.of(read.get("over").get(key), functions);
        }
    }

    /** Of a stream or of reference data of a plan. */
    public static Admission of(JsonNode plan, String input, UserFunctions functions) {
        return of(plan, input, Set.of(), functions);
    }

    /** The same; {@code datetimes}: the columns that are datetimes where the file comes from, and texts in it. */
    public static Admission of(JsonNode plan, String input, Set<String> datetimes, UserFunctions functions) {
        JsonNode columns = plan.path("none");
        for (JsonNode known : plan.get("inputs")) {
            columns = known.get("name").asText().equalsIgnoreCase(input) ? known.path("columns") : columns;
        }
        JsonNode read = plan.path("none");
        for (JsonNode step : plan.get("steps")) {
            boolean isOurs = step.get("op").asText().equals("read") && step.get("input").asText().equalsIgnoreCase(input);
            read = isOurs && !read.path("timestamp").isObject() ? step : read;
        }
        return new Admission(columns, plan.path("level").asText(CURRENT), datetimes, read, functions);
    }

    /**
     * The record with its declared columns in their types; {@code areTexts} says that all values are texts, which are
     * read then. Refuses one without a declared column, or with a value of another type in it.
     */
    public Record checked(Record record, boolean areTexts) throws BadEvent {
        Record whole = level.equals(CURRENT) ? record : (Record) older(record);
        for (String column : datetimes) {
            Object value = whole.get(column);
            if (value instanceof String) {
                whole.put(column, Moments.read((String) value));
            }
        }
        for (int column = 0; column < names.length; column++) {
            int place = whole.find(names[column]);
            if (place < 0) {
                throw new BadEvent("It has no column " + names[column] + ", which CREATE TABLE declares.");
            }
            Object value = whole.value(place);
            if (value == null) {
                continue;
            }
            Object typed = areTexts ? read((String) value, types[column]) : typed(value, types[column]);
            if (typed == null) {
                throw new BadEvent(names[column] + " is " + Values.type(value) + " " + beginning(value)
                    + ", and CREATE TABLE declares " + types[column] + ".");
            }
            if (typed != value) {
                whole.put(names[column], typed);
            }
        }
        return whole;
    }

    private static String beginning(Object value) {
        String text = Json.text(value);
        return text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS) + "…";
    }

    private static Object typed(Object value, String type) {
        if (type.equals("float") && value instanceof Long) {
            return (double) (Long) value;
        }
        if (type.equals("datetime") && value instanceof String) {
            return Moments.read((String) value);
        }
        return Values.type(value).startsWith(type) ? value : null;
    }

    private static Object read(String text, String type) {
        try {
            switch (type) {
                case "bigint":
                    return Long.valueOf(text.strip());
                case "float":
                    double number = Double.parseDouble(text.strip());
                    return Double.isNaN(number) || Double.isInfinite(number) ? null : number;
                case "datetime":
                    return Moments.read(text);
                case "bit":
                    return bit(text.strip());
                default:
                    return type.startsWith("nvarchar") ? text : null;
            }
        } catch (NumberFormatException other) {
            return null;
        }
    }

    private static Boolean bit(String text) {
        if (text.equalsIgnoreCase("true") || text.equals("1")) {
            return Boolean.TRUE;
        }
        return text.equalsIgnoreCase("false") || text.equals("0") ? Boolean.FALSE : null;
    }

    /** The value as levels before the current one have it: no bits, and in the first one ISO texts are datetimes. */
    private Object older(Object value) {
        if (value instanceof String && level.equals(FIRST) && MOMENT.matcher((String) value).lookingAt()) {
            Datetime moment = Moments.read((String) value);
            return moment == null ? value : moment;
        }
        if (value instanceof Boolean) {
            return (Boolean) value ? 1L : 0L;
        }
        if (value instanceof Record) {
            Record record = (Record) value;
            Record made = new Record(record.size());
            for (int place = 0; place < record.size(); place++) {
                made.add(record.name(place), older(record.value(place)));
            }
            made.setMetadata(record.metadata());
            return made;
        }
        if (value instanceof List) {
            List<Object> made = new ArrayList<>();
            ((List<?>) value).forEach(item -> made.add(older(item)));
            return made;
        }
        return value;
    }

    /** Refuses a record that has no key of TIMESTAMP BY … OVER. */
    public void requireKeys(Record record) throws BadEvent {
        scope.rows[0] = record;
        for (Expression key : over) {
            if (key.value(scope) == null) {
                throw new BadEvent("A key of TIMESTAMP BY … OVER is NULL.");
            }
        }
    }

    /** The record's time in ticks: TIMESTAMP BY's, or its arrival without one. Refuses a record without a time. */
    public long ticks(Record record, long arrival) throws BadEvent {
        if (timestamp == null) {
            return arrival;
        }
        requireKeys(record);
        scope.times[0] = arrival;
        scope.time = arrival;
        Object value;
        try {
            value = timestamp.value(scope);
        } catch (QueryStopped error) {
            throw new BadEvent("TIMESTAMP BY has no time for it: " + error.getMessage());
        }
        Datetime time = value instanceof String ? Moments.read((String) value) : null;
        time = value instanceof Datetime ? (Datetime) value : time;
        if (time == null) {
            throw new BadEvent(value == null
                ? "TIMESTAMP BY is NULL for it."
                : "TIMESTAMP BY is " + Values.type(value) + " " + beginning(value) + " and no datetime.");
        }
        return time.ticks;
    }
}
