package fraudstream.contract;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Texts as they are shown in reasons: short, and whole characters only. */
public final class Texts {
    private static final int SHOWN_CHARACTERS = 60;
    // UTF-8 takes four bytes for a character at most; one more, since the last may be cut.
    private static final int SHOWN_BYTES = 4 * SHOWN_CHARACTERS + 4;
    private static final int REPLACEMENT = 0xfffd;

    private Texts() {
    }

    /** The text of valid UTF-8, or null. */
    public static String decoded(byte[] value) {
        String text = new String(value, StandardCharsets.UTF_8);
        if (text.indexOf(REPLACEMENT) < 0) {
            return text;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
        } catch (CharacterCodingException error) {
            return null;
        }
    }

    static String beginning(byte[] value, int from, int until) {
        int shown = Math.min(until - from, SHOWN_BYTES);
        return beginning(new String(value, from, shown, StandardCharsets.UTF_8), SHOWN_CHARACTERS);
    }

    static String beginning(String text) {
        return beginning(text, SHOWN_CHARACTERS);
    }

    /** So many characters of a text at most, half ones replaced. */
    public static String beginning(String text, int characters) {
        StringBuilder shown = new StringBuilder(characters);
        int at = 0;
        for (int count = 0; at < text.length() && count < characters; count++) {
            int character = text.codePointAt(at);
            at += Character.charCount(character);
            shown.appendCodePoint(character >= 0xd800 && character <= 0xdfff ? REPLACEMENT : character);
        }
        return shown.toString();
    }

    /** Whether a surrogate stands without its other half. */
    static boolean hasHalfCharacter(String text) {
        for (int at = 0; at < text.length();) {
            int character = text.codePointAt(at);
            if (character >= 0xd800 && character <= 0xdfff) {
                return true;
            }
            at += Character.charCount(character);
        }
        return false;
    }
}
