package fraudstream.query.values;

import java.util.List;

/** Conversions from each type to each. */
public final class Casts {
    private Casts() {
    }

    /** The value in a type of the language; null where it cannot be converted, and for NULL. */
    public static Object tried(Object value, String type) {
        if (value == null) {
            return null;
        }
        switch (type) {
            case "bigint":
                return bigint(value);
            case "float":
                return number(value);
            case "nvarchar":
                return value instanceof Record || value instanceof List ? null : text(value);
            case "datetime":
                return datetime(value);
            case "bit":
                return bit(value);
            case "record":
                return value instanceof Record ? value : null;
            case "array":
                return value instanceof List ? value : null;
            default:
                throw new IllegalArgumentException("There is no type " + type + ".");
        }
    }

    /** The value in a type of the language; NULL stays NULL. Stops the query where it cannot be converted. */
    public static Object cast(Object value, String type) {
        Object converted = tried(value, type);
        if (converted == null && value != null) {
            String name = "nvarchar".equals(type) ? "nvarchar(max)" : type;
            throw new QueryStopped(
                Values.shownFirst(value) + " cannot be converted to " + name + "." + advice(value, type));
        }
        return converted;
    }

    private static String advice(Object value, String type) {
        if (value instanceof String && ("record".equals(type) || "array".equals(type))) {
            return " JSON_PARSE reads a record from a text.";
        }
        boolean isWhole = value instanceof Record || value instanceof List;
        return isWhole && "nvarchar".equals(type) ? " A user function with JSON.stringify gives its text."
            : " TRY_CAST gives NULL instead.";
    }

    private static Long bigint(Object value) {
        if (value instanceof Long) {
            return (Long) value;
        }
        if (value instanceof Double) {
            double number = (Double) value;
            return number >= -0x1p63 && number < 0x1p63 ? (Long) (long) number : null;
        }
        if (value instanceof Boolean) {
            return (Boolean) value ? 1L : 0L;
        }
        return value instanceof String ? integer(((String) value).strip()) : null;
    }

    private static Long integer(String text) {
        int digits = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
        if (!areDigits(text, digits, text.length())) {
            return null;
        }
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException tooLarge) {
            return null;
        }
    }

    private static Double number(Object value) {
        if (value instanceof Double) {
            return (Double) value;
        }
        if (value instanceof String) {
            return number(((String) value).strip());
        }
        return value instanceof Long || value instanceof Boolean ? (Double) Numbers.number(value) : null;
    }

    private static Double number(String text) {
        int at = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
        int power = Math.max(text.indexOf('e'), text.indexOf('E'));
        int until = power < 0 ? text.length() : power;
        int point = text.indexOf('.');
        if (power >= 0) {
            boolean isSigned = text.startsWith("-", power + 1) || text.startsWith("+", power + 1);
            if (!areDigits(text, power + (isSigned ? 2 : 1), text.length())) {
                return null;
            }
        }
        boolean isNumber = point < 0 || point >= until ? point < 0 && areDigits(text, at, until)
            : areDigits(text, at, point) && (point + 1 == until || areDigits(text, point + 1, until))
                || point == at && areDigits(text, point + 1, until);
        if (!isNumber) {
            return null;
        }
        double number = Double.parseDouble(text);
        return Double.isInfinite(number) ? null : (Double) number;
    }

    private static boolean areDigits(String text, int from, int until) {
        for (int at = from; at < until; at++) {
            if (text.charAt(at) < '0' || text.charAt(at) > '9') {
                return false;
            }
        }
        return from < until;
    }

    private static Datetime datetime(Object value) {
        return value instanceof Datetime ? (Datetime) value
            : value instanceof String ? Moments.read((String) value) : null;
    }

    private static Boolean bit(Object value) {
        if (value instanceof Boolean) {
            return (Boolean) value;
        }
        if (value instanceof Long || value instanceof Double) {
            return Numbers.number(value) != 0;
        }
        if (!(value instanceof String)) {
            return null;
        }
        String text = ((String) value).strip();
        boolean isTrue = "true".equalsIgnoreCase(text) || "1".equals(text);
        return isTrue || "false".equalsIgnoreCase(text) || "0".equals(text) ? (Boolean) isTrue : null;
    }

    /** The text of a value that is no record and no array; those stop the query. */
    public static String text(Object value) {
        if (value instanceof String) {
            return (String) value;
        }
        if (value instanceof Double) {
            return Floats.text((Double) value);
        }
        if (value instanceof Long || value instanceof Boolean || value instanceof Datetime) {
            return value.toString();
        }
        throw new QueryStopped("A text is needed, not " + Values.shown(value) + ".");
    }
}
