package fraudstream.query.functions;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/** The table of all scalar functions. COALESCE is none of them: it does not evaluate all its arguments. */
public final class Functions {
    private static final Map<String, Function> TABLE = new TreeMap<>();

    static {
        NumberFunctions.addTo(TABLE);
        TextFunctions.addTo(TABLE);
        PatternFunctions.addTo(TABLE);
        DateFunctions.addTo(TABLE);
        RecordFunctions.addTo(TABLE);
        ShapeFunctions.addTo(TABLE);
    }

    private Functions() {
    }

    /** The function of a name in lower case, or null. */
    public static Function named(String name) {
        return TABLE.get(name);
    }

    static void add(Map<String, Function> table, String name, int least, int most, Implementation implementation) {
        table.put(name, new Function(name, least, most, false, () -> implementation));
    }

    static void addTakingNulls(
        Map<String, Function> table, String name, int least, int most, Implementation implementation) {
        table.put(name, new Function(name, least, most, true, () -> implementation));
    }

    static void addEach(Map<String, Function> table, String name, int count, Supplier<Implementation> implementation) {
        table.put(name, new Function(name, count, count, false, implementation));
    }

    /** Prints the functions as a JSON object: name to least and most number of arguments, null for any number. */
    public static void main(String[] arguments) {
        List<String> lines = new ArrayList<>();
        for (Function function : TABLE.values()) {
            String most = function.most == Function.ANY ? "null" : Integer.toString(function.most);
            lines.add("\"" + function.name + "\": [" + function.least + ", " + most + "]");
        }
        System.out.println("{" + String.join(", ", lines) + "}");
    }
}
