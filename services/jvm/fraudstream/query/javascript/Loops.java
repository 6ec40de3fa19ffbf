package fraudstream.query.javascript;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The one construct that scripts often have and the interpreter does not: {@code for (const x of list)}. */
final class Loops {
    // Comments and texts stand before the loop, so that none within them is found.
    private static final Pattern PARTS = Pattern.compile(
        "//[^\\n]*|/\\*(?s:.*?)\\*/"
            + "|\"[^\"\\\\\\n]*+(?:\\\\.[^\"\\\\\\n]*+)*+\"|'[^'\\\\\\n]*+(?:\\\\.[^'\\\\\\n]*+)*+'"
            + "|(?<![\\w$.])for\\s*+\\(\\s*+(const)(?![\\w$])");

    private Loops() {
    }

    /** The text with {@code let} in the place of such a {@code const}; lines and columns stay what they are. */
    static String withLet(String text) {
        StringBuilder changed = new StringBuilder(text);
        Matcher matcher = PARTS.matcher(text);
        while (matcher.find()) {
            if (matcher.start(1) >= 0) {
                changed.replace(matcher.start(1), matcher.end(1), "let  ");
            }
        }
        return changed.toString();
    }
}
