package fraudstream.contract;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.spark.unsafe.types.UTF8String;

/** One field's rule: what its value must be, and how that is said. {@code field_rules.py} has the same. */
public final class Field {
    /** What a field's value is. */
    enum Kind { INT, FLOAT, BOOL, TEXT, TIME, OBJECT, ARRAY }

    /** Its name; of a field inside an object its path with dots. */
    public final String name;
    /** The texts that are known, in the contract's order; a text's place among them is its code. */
    public final List<String> known = new ArrayList<>();
    /** Its name in its own object. */
    final String key;
    final Kind kind;
    final boolean required;
    final boolean nullable;
    /** Where an event holds its value; -1 for one that is no scalar, or stands in a list. */
    final int slot;
    /** What the field expects, as reasons say it: "expected …". */
    final String expected;
    final long leastLong;
    final long mostLong;
    final double leastDouble;
    final double mostDouble;
    final int leastLength;
    final int mostLength;
    /** Null for a text without one. */
    final Pattern pattern;
    /** Null for a field that is no time. */
    final Times time;
    /** Null for a field that is no object. */
    final Fields fields;
    /** The rule of a list's items; null for none. */
    final Field items;
    /** Whether only the known texts are allowed. */
    final boolean strict;
    final Names knownNames;
    final UTF8String[] knownTexts;
    /** Whether the event has to hold its text. */
    boolean used;
    private final Map<String, Integer> codes = new HashMap<>();
    /** Null where any number within the bounds is allowed. */
    private final Set<Long> longs;
    private final Set<Double> doubles;
    private final boolean mayBeTrue;
    private final boolean mayBeFalse;

    /** {@code slots} are the scalars so far, to which those of this field are added; null within a list. */
    Field(JsonNode rule, List<Field> slots) {
        name = rule.get("name").asText();
        key = rule.get("key").asText();
        kind = Kind.valueOf(rule.get("kind").asText().toUpperCase(java.util.Locale.ROOT));
        required = rule.get("required").asBoolean();
        nullable = rule.get("is_nullable").asBoolean();
        expected = "expected " + rule.get("expectation").asText();
        leastLong = kind == Kind.INT ? Long.parseLong(rule.get("least").asText()) : 0L;
        mostLong = kind == Kind.INT ? Long.parseLong(rule.get("most").asText()) : 0L;
        leastDouble = kind == Kind.FLOAT ? Double.parseDouble(rule.get("least").asText()) : 0.0;
        mostDouble = kind == Kind.FLOAT ? Double.parseDouble(rule.get("most").asText()) : 0.0;
        leastLength = rule.get("least_length").asInt();
        mostLength = rule.get("most_length").isNull() ? Integer.MAX_VALUE : rule.get("most_length").asInt();
        pattern = rule.get("pattern").isNull() ? null : Pattern.compile(rule.get("pattern").asText());
        time = kind == Kind.TIME ? new Times(rule.get("time")) : null;
        JsonNode choices = rule.get("choices");
        longs = kind == Kind.INT && choices.size() > 0 ? new HashSet<>() : null;
        doubles = kind == Kind.FLOAT && choices.size() > 0 ? new HashSet<>() : null;
        boolean isTrueListed = choices.size() == 0;
        boolean isFalseListed = choices.size() == 0;
        for (JsonNode choice : choices) {
            switch (kind) {
                case INT -> longs.add(choice.asLong());
                // Zero has no sign here.
                case FLOAT -> doubles.add(choice.asDouble() + 0.0);
                case BOOL -> {
                    isTrueListed |= choice.asBoolean();
                    isFalseListed |= !choice.asBoolean();
                }
                default -> { }
            }
        }
        mayBeTrue = isTrueListed;
        mayBeFalse = isFalseListed;
        strict = kind == Kind.TEXT && choices.size() > 0;
        for (JsonNode text : rule.get("known")) {
            codes.put(text.asText(), known.size());
            known.add(text.asText());
        }
        knownNames = new Names(known);
        knownTexts = known.stream().map(UTF8String::fromString).toArray(UTF8String[]::new);
        slot = slots == null || kind == Kind.OBJECT || kind == Kind.ARRAY ? -1 : slots.size();
        if (slot >= 0) {
            slots.add(this);
        }
        fields = kind == Kind.OBJECT ? new Fields(rule.get("fields"), slots) : null;
        items = rule.get("items").isNull() ? null : new Field(rule.get("items"), null);
    }

    /** Whether an integer is one that the field takes. */
    boolean takes(long number) {
        return number >= leastLong && number <= mostLong && (longs == null || longs.contains(number));
    }

    /** Whether a number is one that the field takes. */
    boolean takes(double number) {
        return Math.abs(number) <= Double.MAX_VALUE && number >= leastDouble && number <= mostDouble
            && (doubles == null || doubles.contains(number + 0.0));
    }

    boolean takes(boolean truth) {
        return truth ? mayBeTrue : mayBeFalse;
    }

    /** Whether a text is one that the field takes. */
    boolean takes(String text) {
        if (strict) {
            return codes.containsKey(text);
        }
        // JSON Schema counts code points, of which a text has no more than it has units.
        if (text.length() < leastLength
            || (leastLength > 0 || text.length() > mostLength) && !isLong(text.codePointCount(0, text.length()))) {
            return false;
        }
        return pattern == null || pattern.matcher(text).find();
    }

    /** Whether so many characters of a text, or items of a list, are neither too few nor too many. */
    boolean isLong(int length) {
        return length >= leastLength && length <= mostLength;
    }

    /** Whether its values are texts, times aside. */
    public boolean isText() {
        return kind == Kind.TEXT;
    }

    /** What a model is given for a text: its code, NaN for one that is not listed. */
    public double number(String text) {
        int code = code(text);
        return code < 0 ? Double.NaN : code;
    }

    /** The place of a text among those that are known; -1 for any other. */
    int code(String text) {
        Integer code = codes.get(text);
        return code == null ? -1 : code;
    }
}
