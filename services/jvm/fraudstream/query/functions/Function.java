package fraudstream.query.functions;

import java.util.function.Supplier;

/** A scalar function of the language. */
public final class Function {
    /** As many arguments as one likes. */
    static final int ANY = Integer.MAX_VALUE;

    /** In lower case. */
    public final String name;
    public final int least;
    public final int most;
    /** Otherwise a NULL among the arguments makes the result NULL. */
    public final boolean takesNulls;
    /** A new one for each place of a call, as some keep what they compiled. */
    public final Supplier<Implementation> implementation;

    Function(String name, int least, int most, boolean takesNulls, Supplier<Implementation> implementation) {
        this.name = name;
        this.least = least;
        this.most = most;
        this.takesNulls = takesNulls;
        this.implementation = implementation;
    }
}
