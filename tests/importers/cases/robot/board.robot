*** Settings ***
Documentation     Functional board check
Metadata          Serial Number    SN9
Metadata          Part Number      PCB9
Metadata          Fixture          F3
Suite Setup       Log    powering up

*** Test Cases ***
Rail
    [Documentation]    3.3 V rail
    [Tags]    power    smoke
    Log    measuring    level=DEBUG
    Measure    3.31

Fails
    [Tags]    power
    Fail    3.1 is below 3.2

Loops
    Repeat Keyword    2    Log    turn    WARN

*** Keywords ***
Measure
    [Arguments]    ${volts}
    Log    rail is ${volts} V
