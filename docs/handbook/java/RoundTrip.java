// Reads exchanges with the classes that xjc made of the published schema, and writes them again into a folder.
// java RoundTrip SCHEMA.xsd FOLDER EXCHANGE.xml...
import collecthub.exchange.ExchangeType;
import collecthub.exchange.ObjectFactory;
import java.io.File;
import javax.xml.XMLConstants;
import javax.xml.bind.JAXBContext;
import javax.xml.bind.JAXBElement;
import javax.xml.bind.Marshaller;
import javax.xml.bind.Unmarshaller;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;

public final class RoundTrip {
    public static void main(String[] given) throws Exception {
        Schema schema = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI).newSchema(new File(given[0]));
        JAXBContext context = JAXBContext.newInstance(ObjectFactory.class);
        Unmarshaller reader = context.createUnmarshaller();
        reader.setSchema(schema);
        Marshaller writer = context.createMarshaller();
        writer.setSchema(schema);
        for (int place = 2; place < given.length; place++) {
            File exchange = new File(given[place]);
            JAXBElement<ExchangeType> read = reader.unmarshal(new StreamSource(exchange), ExchangeType.class);
            writer.marshal(new ObjectFactory().createExchange(read.getValue()), new File(given[1], exchange.getName()));
            int count = read.getValue().getMessages().getCaseFileOrCaseAmendmentOrCaseInstruction().size();
            System.out.println(exchange.getName() + ": " + count + " messages");
        }
    }
}
