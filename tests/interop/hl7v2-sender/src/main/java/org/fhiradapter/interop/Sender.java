package org.fhiradapter.interop;

import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.app.Connection;
import ca.uhn.hl7v2.llp.MinLowerLayerProtocol;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.model.v25.message.ORU_R01;
import ca.uhn.hl7v2.model.v25.message.RAS_O17;
import ca.uhn.hl7v2.model.v25.datatype.NM;
import ca.uhn.hl7v2.model.v25.segment.MSH;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.util.idgenerator.UUIDGenerator;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import java.nio.charset.StandardCharsets;

/**
 * Builds messages by HAPI's structures, sends them over one connection, and prints of each answer
 * {@code MSH-9.1 MSA-1 MSA-2 ERR-2 ERR-5}. HAPI itself matches the answer to MSH-10.
 *
 * <p>Arguments: host, port.
 */
public final class Sender {
  private Sender() {}

  public static void main(String[] arguments) {
    int status = 0;
    // Threads of the pool are no daemons: without exit an exception would leave the process hanging.
    try (DefaultHapiContext context = new DefaultHapiContext()) {
      context.getParserConfiguration().setIdGenerator(new UUIDGenerator());
      MinLowerLayerProtocol protocol = new MinLowerLayerProtocol();
      protocol.setCharset(StandardCharsets.UTF_8);
      context.setLowerLayerProtocol(protocol);
      // One of the values is none, on purpose.
      context.setValidationContext(ValidationContextFactory.noValidation());
      Connection connection = context.newClient(arguments[0], Integer.parseInt(arguments[1]), false);
      connection.getInitiator().setTimeoutMillis(20_000);
      RAS_O17 given = administration(context, "HAPI-1", "2.50");
      send(connection, given);
      send(connection, given);
      send(connection, administration(context, "HAPI-1", "25"));
      send(connection, administration(context, "HAPI-2", "much"));
      send(connection, score(context, "HAPI-3"));
      connection.close();
    } catch (Exception problem) {
      problem.printStackTrace();
      status = 1;
    }
    System.exit(status);
  }

  private static void send(Connection connection, Message message) throws Exception {
    Terser answer = new Terser(connection.getInitiator().sendAndReceive(message));
    String line = answer.get("/MSH-9-1") + " " + answer.get("/MSA-1") + " " + answer.get("/MSA-2");
    try {
      String segment = answer.get("/.ERR-2-1");
      if (segment != null) line += " " + segment + "-" + answer.get("/.ERR-2-3");
      String code = answer.get("/.ERR-5-1");
      if (code != null) line += " " + code;
    } catch (ca.uhn.hl7v2.HL7Exception none) {
      // No ERR.
    }
    System.out.println(line);
  }

  private static void address(MSH header, String controlId) throws Exception {
    header.getSendingApplication().getNamespaceID().setValue("HAPI");
    header.getSendingFacility().getNamespaceID().setValue("pain-clinic");
    header.getReceivingApplication().getNamespaceID().setValue("ADAPTER");
    header.getDateTimeOfMessage().getTime().setValue("20140506211000+0900");
    header.getMessageControlID().setValue(controlId);
    header.getCharacterSet(0).setValue("UNICODE UTF-8");
  }

  private static RAS_O17 administration(DefaultHapiContext context, String controlId, String amount) throws Exception {
    RAS_O17 message = context.newMessage(RAS_O17.class);
    message.initQuickstart("RAS", "O17", "P");
    address(message.getMSH(), controlId);
    message.getPATIENT().getPID().getPatientIdentifierList(0).getIDNumber().setValue("100003");
    message.getPATIENT().getPID().getPatientName(0).getFamilyName().getSurname().setValue("Müller|Doe");
    // The site's extension after PV1.
    String procedure = message.getPATIENT().addNonstandardSegment("PR1");
    Terser terser = new Terser(message);
    terser.set("/PATIENT/" + procedure + "-3-1", "intrathecal-injection");
    terser.set("/PATIENT/" + procedure + "-5-1", "20140506100000");
    terser.set("/PATIENT/" + procedure + "-19-1", "R-" + controlId);
    message.getORDER().getORC().getOrderControl().setValue("RE");
    var row = message.getORDER().getADMINISTRATION().getRXA();
    row.getAdministrationSubIDCounter().setValue("1");
    row.getDateTimeStartOfAdministration().getTime().setValue("20140506100000");
    row.getAdministeredCode().getIdentifier().setValue("midazolam");
    row.getAdministeredAmount().setValue(amount);
    row.getAdministeredUnits().getIdentifier().setValue("mg");
    row.getCompletionStatus().setValue("CP");
    message.getORDER().getADMINISTRATION().getRXR().getRoute().getIdentifier().setValue("IT");
    return message;
  }

  private static ORU_R01 score(DefaultHapiContext context, String controlId) throws Exception {
    ORU_R01 message = context.newMessage(ORU_R01.class);
    message.initQuickstart("ORU", "R01", "P");
    address(message.getMSH(), controlId);
    var result = message.getPATIENT_RESULT();
    result.getPATIENT().getPID().getPatientIdentifierList(0).getIDNumber().setValue("100003");
    var order = result.getORDER_OBSERVATION();
    order.getOBR().getPlacerOrderNumber().getEntityIdentifier().setValue("REQ-1");
    order.getOBR().getFillerOrderNumber().getEntityIdentifier().setValue("pain-clinic.R-HAPI-1.1");
    var score = order.getOBSERVATION().getOBX();
    score.getValueType().setValue("NM");
    score.getObservationIdentifier().getIdentifier().setValue("NRS");
    score.getObservationSubID().setValue("1");
    NM value = new NM(message);
    value.setValue("4");
    score.getObservationValue(0).setData(value);
    score.getObservationResultStatus().setValue("F");
    score.getDateTimeOfTheObservation().getTime().setValue("20140507090000");
    return message;
  }
}
