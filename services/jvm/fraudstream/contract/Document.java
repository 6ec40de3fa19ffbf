package fraudstream.contract;

import fraudstream.contract.Tokens.Token;
import java.util.HashSet;
import java.util.Set;

/**
 * What the document of an event will hold, counted while the event is read: its size in BSON, its fields, and the first
 * of its unknown fields that no document can keep as it is.
 */
final class Document {
    // A document or a list: its length, and the byte that ends it.
    private static final int FRAME_BYTES = 5;
    // An element: its type, and the byte that ends its name.
    private static final int ELEMENT_BYTES = 2;
    private static final int LENGTH_BYTES = 4;
    private static final int DOUBLE_BYTES = 8;

    /** The first field with a problem, and the problem; null where there is none. */
    String field;
    String problem;
    boolean notFinite;
    boolean twice;
    private long bytes = FRAME_BYTES;
    private int fields;
    private final Contract contract;
    private final Tokens tokens;
    // Of each object and list that is open, from the first one on.
    private boolean[] objects;
    private Set<String>[] names;
    private int[] items;

    Document(Contract contract, Tokens tokens) {
        this.contract = contract;
        this.tokens = tokens;
    }

    /** Counts a field of the event itself, whose name was taken last. */
    void addField(String name) {
        fields++;
        bytes += ELEMENT_BYTES + tokens.textBytes();
        checkName(name, name);
    }

    private void checkName(String name, String top) {
        if (name.startsWith("$")) {
            reject(top, contract.dollarName);
        } else if (name.indexOf('\0') >= 0) {
            reject(top, contract.nulName);
        }
    }

    private void reject(String top, String explanation) {
        if (problem == null) {
            field = top.isEmpty() ? "value" : Texts.beginning(top);
            problem = explanation;
        }
    }

    /** Counts a value of the field {@code top}, which was taken last or has just begun; false where it is no JSON. */
    boolean addValue(Token kind, String top) {
        if (kind == Token.OBJECT || kind == Token.LIST) {
            return addAll(kind == Token.OBJECT, top);
        }
        addScalar(kind, top);
        return kind != Token.BROKEN;
    }

    private void addScalar(Token kind, String top) {
        if (kind == Token.TEXT) {
            bytes += LENGTH_BYTES + tokens.textBytes() + 1;
        } else if (kind == Token.TRUTH) {
            bytes++;
        } else if (kind == Token.NOT_FINITE) {
            notFinite = true;
        } else if (kind == Token.INTEGER || kind == Token.FRACTION) {
            addNumber(top);
        }
    }

    private void addNumber(String top) {
        int size = new Digits(contract, tokens.value, tokens.from, tokens.until).bytes();
        if (size < 0) {
            reject(top, contract.lostDigits + ", got " + Texts.beginning(tokens.value, tokens.from, tokens.until));
            size = DOUBLE_BYTES;
        }
        bytes += size;
    }

    /** Counts an object or a list that has just begun, to its end. The depth of the text is checked before. */
    private boolean addAll(boolean object, String top) {
        if (objects == null) {
            objects = new boolean[contract.mostNesting];
            names = noNames(contract.mostNesting);
            items = new int[contract.mostNesting];
        }
        int depth = 0;
        begin(depth, object);
        boolean first = true;
        while (true) {
            tokens.skipSpace();
            if (tokens.take(objects[depth] ? '}' : ']')) {
                names[depth] = null;
                depth--;
                if (depth < 0) {
                    return true;
                }
                first = false;
                continue;
            }
            if (!first && !tokens.take(',')) {
                return false;
            }
            tokens.skipSpace();
            if (!first && tokens.at < tokens.value.length && isEnd(tokens.value[tokens.at])) {
                return false;
            }
            if (!objects[depth]) {
                addItem(depth);
            } else if (!addName(depth, top)) {
                return false;
            }
            first = false;
            Token kind = tokens.next();
            if (kind == Token.BROKEN) {
                return false;
            }
            if (kind == Token.OBJECT || kind == Token.LIST) {
                depth++;
                begin(depth, kind == Token.OBJECT);
                first = true;
            } else {
                addScalar(kind, top);
            }
        }
    }

    // Java has no other way to make an array of a generic type.
    @SuppressWarnings("unchecked")
    private static Set<String>[] noNames(int count) {
        return (Set<String>[]) new Set<?>[count];
    }

    private static boolean isEnd(byte character) {
        return character == '}' || character == ']';
    }

    private void begin(int depth, boolean object) {
        objects[depth] = object;
        items[depth] = 0;
        bytes += FRAME_BYTES;
    }

    private boolean addName(int depth, String top) {
        if (!tokens.takeText()) {
            return false;
        }
        String name = tokens.text();
        fields++;
        bytes += ELEMENT_BYTES + tokens.textBytes();
        checkName(name, top);
        if (names[depth] == null) {
            names[depth] = new HashSet<>();
        }
        twice |= !names[depth].add(name);
        tokens.skipSpace();
        boolean named = tokens.take(':');
        tokens.skipSpace();
        return named;
    }

    /** An item of a list is a field of BSON whose name is its number. */
    private void addItem(int depth) {
        int number = items[depth]++;
        bytes += ELEMENT_BYTES + 1;
        for (int rest = number / 10; rest > 0; rest /= 10) {
            bytes++;
        }
    }

    /** Why the document is too large, or null. */
    String excess() {
        if (fields > contract.mostFields) {
            return fields + " fields, more than the " + contract.mostFields + " a document may have";
        }
        return bytes > contract.mostDocumentBytes
            ? "a document of " + bytes + " bytes, more than the " + contract.mostDocumentBytes + " that all stores take"
            : null;
    }
}
