package fraudstream.spark;

import org.apache.spark.sql.catalyst.analysis.NoSuchFunctionException;
import org.apache.spark.sql.connector.catalog.FunctionCatalog;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/** The catalog of our functions. */
public class Functions implements FunctionCatalog {
    private final Function[] all = {new ReadEvent(), new CheckRecord(), new DecideRecord(), new FinishRecord()};
    private String name;

    public void initialize(String name, CaseInsensitiveStringMap options) {
        this.name = name;
    }

    public String name() {
        return name;
    }

    public Identifier[] listFunctions(String[] namespace) {
        Identifier[] found = new Identifier[namespace.length == 0 ? all.length : 0];
        for (int at = 0; at < found.length; at++) {
            found[at] = Identifier.of(namespace, all[at].name());
        }
        return found;
    }

    public UnboundFunction loadFunction(Identifier wanted) throws NoSuchFunctionException {
        for (int at = 0; at < all.length; at++) {
            if (wanted.namespace().length == 0 && all[at].name().equals(wanted.name())) {
                return all[at];
            }
        }
        throw new NoSuchFunctionException(wanted);
    }
}
