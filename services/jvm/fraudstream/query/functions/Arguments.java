package fraudstream.query.functions;

import fraudstream.query.values.Datetime;
import fraudstream.query.values.Moments;
import fraudstream.query.values.Numbers;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import fraudstream.query.values.Values;
import java.util.List;

/** Arguments in the types that functions need; others stop the query. */
final class Arguments {
    private Arguments() {
    }

    /** A float is cut. */
    static long integer(Object value) {
        return value instanceof Double ? Numbers.cut((Double) value) : Numbers.integer(value);
    }

    /** A position or a count within a text, which none is longer than. */
    static long count(Object value) {
        return Math.max(-Integer.MAX_VALUE, Math.min(Integer.MAX_VALUE, integer(value)));
    }

    /** A datetime, or an ISO text of one. */
    static Datetime moment(Object value) {
        if (value instanceof Datetime) {
            return (Datetime) value;
        }
        Datetime read = value instanceof String ? Moments.read((String) value) : null;
        if (read == null) {
            throw new QueryStopped("A datetime or an ISO 8601 text is needed, not " + Values.shown(value) + ".");
        }
        return read;
    }

    static Record record(Object value) {
        if (value instanceof Record) {
            return (Record) value;
        }
        throw new QueryStopped(
            "A record is needed, not " + Values.shown(value) + ". TRY_CAST(… AS record) gives NULL instead.");
    }

    static List<?> array(Object value) {
        if (value instanceof List) {
            return (List<?>) value;
        }
        throw new QueryStopped(
            "An array is needed, not " + Values.shown(value) + ". TRY_CAST(… AS array) gives NULL instead.");
    }
}
