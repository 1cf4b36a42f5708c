package org.fhiradapter.interop;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.IDaoRegistry;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.HibernatePropertiesProvider;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirPostgresDialect;
import ca.uhn.fhir.jpa.provider.DaoRegistryResourceSupportedSvc;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.rest.api.IResourceSupportedSvc;
import ca.uhn.fhir.rest.server.HardcodedServerAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.IValidatorModule;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import com.zaxxer.hikari.HikariDataSource;
import jakarta.persistence.EntityManagerFactory;
import java.io.IOException;
import java.util.List;
import java.util.Properties;
import javax.sql.DataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.hibernate.dialect.Dialect;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/**
 * Starts the HAPI FHIR JPA server (R4) on loopback, as a real peer for tests.
 *
 * <p>Prints one line, {@code READY http://127.0.0.1:PORT/fhir}, when it serves. Ends on SIGTERM and when its standard
 * input closes, so a test that dies takes its server along.
 */
public final class HapiServer {
  private static final String USAGE =
      "usage: hapi-server [--port P] [--validate] [--postgres JDBC-URL]\n"
          + "  --port P             port on 127.0.0.1, 0 (the default) for any free one\n"
          + "  --validate           validate each request, refuse those with errors (422)\n"
          + "  --postgres JDBC-URL  store there instead of in memory (H2)\n"
          + "Ends when standard input closes.";

  /** What the command line asks for. */
  record Options(int port, boolean validate, String postgresUrl) {
    static Options parse(String[] arguments) {
      int port = 0;
      boolean validate = false;
      String postgresUrl = null;
      for (int i = 0; i < arguments.length; ++i) {
        switch (arguments[i]) {
          case "--port" -> port = Integer.parseInt(value(arguments, ++i));
          case "--validate" -> validate = true;
          case "--postgres" -> postgresUrl = value(arguments, ++i);
          default -> throw new IllegalArgumentException("unknown argument " + arguments[i]);
        }
      }
      return new Options(port, validate, postgresUrl);
    }

    private static String value(String[] arguments, int index) {
      if (index >= arguments.length) {
        throw new IllegalArgumentException(arguments[index - 1] + " needs a value");
      }
      return arguments[index];
    }
  }

  /** HAPI's own configuration classes and the few beans that they leave to the application. */
  @Configuration
  @Import({
    JpaR4Config.class,
    HapiJpaConfig.class,
    JpaBatch2Config.class,
    Batch2JobsConfig.class,
    SubscriptionChannelConfig.class,
    ThreadPoolFactoryConfig.class
  })
  static class Beans {
    @Bean
    JpaStorageSettings storageSettings() {
      JpaStorageSettings settings = new JpaStorageSettings();
      // A client may PUT to any id it likes, and ids that the server gives are never mistaken for those.
      settings.setResourceClientIdStrategy(JpaStorageSettings.ClientIdStrategyEnum.ANY);
      settings.setResourceServerIdStrategy(JpaStorageSettings.IdStrategyEnum.UUID);
      settings.setAllowInlineMatchUrlReferences(true);
      // A test must see at once what it wrote: no search is answered from an earlier one.
      settings.setReuseCachedSearchResultsForMillis(null);
      settings.setHibernateSearchIndexFullText(false);
      return settings;
    }

    @Bean
    PartitionSettings partitionSettings() {
      return new PartitionSettings();
    }

    @Bean
    SubscriptionSettings subscriptionSettings() {
      return new SubscriptionSettings();
    }

    @Bean
    IResourceSupportedSvc resourceSupportedSvc(IDaoRegistry daoRegistry) {
      return new DaoRegistryResourceSupportedSvc(daoRegistry);
    }

    @Bean
    Dialect dialect(Options options) {
      return options.postgresUrl() == null ? new HapiFhirH2Dialect() : new HapiFhirPostgresDialect();
    }

    @Bean(destroyMethod = "close")
    @Primary
    DataSource dataSource(Options options) {
      HikariDataSource source = new HikariDataSource();
      source.setJdbcUrl(
          options.postgresUrl() == null ? "jdbc:h2:mem:interop;DB_CLOSE_DELAY=-1" : options.postgresUrl());
      source.setMaximumPoolSize(20);
      return source;
    }

    @Bean
    @Primary
    HibernatePropertiesProvider hibernateProperties(Dialect dialect, DataSource dataSource) {
      return new HibernatePropertiesProvider() {
        @Override
        public Dialect getDialect() {
          return dialect;
        }

        @Override
        public DataSource getDataSource() {
          return dataSource;
        }
      };
    }

    @Bean
    @Primary
    LocalContainerEntityManagerFactoryBean entityManagerFactory(
        ConfigurableListableBeanFactory beans,
        FhirContext fhirContext,
        JpaStorageSettings settings,
        DataSource dataSource,
        Dialect dialect) {
      LocalContainerEntityManagerFactoryBean factory =
          HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhirContext, settings);
      Properties properties = new Properties();
      properties.put("hibernate.dialect", dialect.getClass().getName());
      properties.put("hibernate.hbm2ddl.auto", "update");
      properties.put("hibernate.jdbc.batch_size", "20");
      properties.put("hibernate.search.enabled", "false");
      properties.put("hibernate.cache.use_query_cache", "false");
      properties.put("hibernate.cache.use_second_level_cache", "false");
      factory.setPersistenceUnitName("interop");
      factory.setDataSource(dataSource);
      factory.setJpaProperties(properties);
      return factory;
    }

    @Bean
    @Primary
    JpaTransactionManager transactionManager(EntityManagerFactory factory) {
      return new JpaTransactionManager(factory);
    }
  }

  private static RestfulServer fhirServlet(AnnotationConfigApplicationContext context, Options options, String address) {
    RestfulServer server = new RestfulServer(context.getBean(FhirContext.class));
    context.getAutowireCapableBeanFactory().autowireBean(server);
    server.setServerAddressStrategy(new HardcodedServerAddressStrategy(address));
    server.registerProviders(context.getBean(ResourceProviderFactory.class).createProviders());
    server.registerProvider(context.getBean(JpaSystemProvider.class));
    server.setPagingProvider(context.getBean(DatabaseBackedPagingProvider.class));
    JpaCapabilityStatementProvider capabilities =
        new JpaCapabilityStatementProvider(
            server,
            context.getBean(IFhirSystemDao.class),
            context.getBean(JpaStorageSettings.class),
            context.getBean(ISearchParamRegistry.class),
            context.getBean(IValidationSupport.class));
    capabilities.setImplementationDescription("HAPI FHIR R4, peer for tests");
    server.setServerConformanceProvider(capabilities);
    if (options.validate()) {
      RequestValidatingInterceptor interceptor = new RequestValidatingInterceptor();
      interceptor.setFailOnSeverity(ResultSeverityEnum.ERROR);
      interceptor.setValidatorModules(List.of(context.getBean(IValidatorModule.class)));
      server.registerInterceptor(interceptor);
    }
    return server;
  }

  private static void endWithStandardInput() {
    Thread watcher =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {}
              } catch (IOException ignored) {
                // An unreadable standard input is a closed one.
              }
              System.exit(0);
            },
            "standard-input");
    watcher.setDaemon(true);
    watcher.start();
  }

  private static void serve(Options options) throws Exception {
    Server jetty = new Server();
    ServerConnector connector = new ServerConnector(jetty);
    connector.setHost("127.0.0.1");
    connector.setPort(options.port());
    jetty.addConnector(connector);
    // Taken first: a port in use is reported at once, and the FHIR server must know its own address.
    connector.open();
    String address = "http://127.0.0.1:" + connector.getLocalPort() + "/fhir";

    AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
    context.registerBean(Options.class, () -> options);
    context.register(Beans.class);
    context.refresh();

    ServletContextHandler handler = new ServletContextHandler();
    handler.setContextPath("/");
    handler.addServlet(new ServletHolder(fhirServlet(context, options, address)), "/fhir/*");
    jetty.setHandler(handler);
    jetty.start();
    System.out.println("READY " + address);
    System.out.flush();
  }

  public static void main(String[] arguments) {
    Options options;
    try {
      options = Options.parse(arguments);
    } catch (IllegalArgumentException error) {
      System.err.println(error.getMessage() + "\n" + USAGE);
      System.exit(2);
      return;
    }
    endWithStandardInput();
    try {
      serve(options);
    } catch (Exception error) {
      // Spring and Hikari have threads that would keep the process alive.
      error.printStackTrace();
      System.exit(1);
    }
  }

  private HapiServer() {}
}
