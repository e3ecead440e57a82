<%@ page contentType="text/html" %><form method="post" action="j_security_check"><input name="j_username"></form>
